"""How much memory a training step holds at least, known before one is taken.

A forward pass on PyTorch's meta device computes nothing and takes no memory; what it keeps for the
backward pass has a size all the same. To that come the weights, the optimizer's state and an
average of the weights. Left out, so that it is the least and no more: what single operators need
for a moment, the libraries themselves, memory that is set aside and not used.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from tasks.errors import PlanError
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch

_GIB = 2**30
ADAM_STATES, OTHER_STATES = 2, 1


class Saved:
    """`keep` as the hook of `torch.autograd.graph.saved_tensors_hooks`: counts what a forward pass
    keeps, each tensor's memory once and without the parameters."""

    def __init__(self, network: torch.nn.Module) -> None:
        self._parameters = {
            parameter.untyped_storage()._cdata for parameter in network.parameters()
        }
        self._sizes: dict[int, int] = {}

    def keep(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in self._parameters:
            self._sizes[storage._cdata] = storage.nbytes()
        return tensor

    @property
    def num_bytes(self) -> int:
        return sum(self._sizes.values())


def on_meta(network: torch.nn.Module) -> torch.nn.Module:
    """A copy without numbers; those of `network` are not copied on the way."""
    import torch

    twins: dict[int, object] = {
        id(parameter): torch.nn.Parameter(
            parameter.detach().to("meta"), requires_grad=parameter.requires_grad
        )
        for parameter in network.parameters()
    }
    twins |= {id(buffer): buffer.to("meta") for buffer in network.buffers()}
    return copy.deepcopy(network, twins)


def least_bytes(
    network: torch.nn.Module, saved: int, *, num_copies: int, keeps_gradients: bool
) -> int:
    """saved: by a forward pass; num_copies: of the weights, in the optimizer and as an average;
    keeps_gradients: from one forward pass to the next, else they are there after it alone."""
    weights = sum(
        parameter.numel() * parameter.element_size() for parameter in network.parameters()
    )
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    one_copy = sum(parameter.numel() * parameter.element_size() for parameter in trained)
    stays = weights + num_copies * one_copy + (one_copy if keeps_gradients else 0)
    return stays + (saved if keeps_gradients else max(saved, one_copy))


def shorter(plan: Plan) -> str:
    """A precision that halves what is kept, as one of the cures."""
    return "" if plan.precision in ("bf16", "fp16") else "precision=bf16, "


def require(plan: Plan, needed: int, total: int | None, cure: str) -> None:
    """needed: bytes of a rank's step; total: of its device, None where unknown. Raises `PlanError`
    where that cannot suffice. cure: a further one."""
    if total is None or needed <= total:
        return
    raise PlanError(
        f"batch_size={plan.batch_size} of model={plan.model.name} needs at least "
        f"{needed / _GIB:.1f} GiB on each device (weights, optimizer, and what a forward pass of "
        f"{plan.micro_batch} keeps), which has {total / _GIB:.1f}; choose a smaller batch_size, "
        f"accumulation_steps=2 or more, {cure}or a larger device"
    )
