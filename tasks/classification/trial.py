"""A pass through the network that computes nothing: what cannot work is refused before anything is
opened or built.

On PyTorch's meta device tensors have shapes and no numbers, so that a batch of any network takes a
moment and no memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.classification import networks as models
from tasks.classification import weights
from tasks.classification.networks import one_line
from tasks.errors import PlanError
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch

ADAM_STATES = 2
_GIB = 2**30


def run(plan: Plan, setup: Any, total_memory: int | None) -> None:
    """A training pass (or a test pass) of a rank's batch. total_memory: bytes of the device, None
    where unknown. Raises `PlanError` for weights of another network, an input that the network
    cannot take, batch normalisation of one value, or memory that cannot suffice."""
    import torch

    network = models.build_without_weights(plan)
    weights.require_fit(plan, network)
    if next(network.parameters()).device.type != "meta":
        return  # one of the user's own that only exists with numbers
    trains = "train" in plan.phases
    network.train(trains)
    batch_size = plan.micro_batch if trains else plan.batch_size // plan.hardware.num_ranks
    size = models.input_size(plan, for_test=not trains)
    saved = _Saved(network)
    images = torch.zeros((batch_size, 3, size, size), device="meta")
    try:
        with (
            torch.autograd.graph.saved_tensors_hooks(saved.keep, lambda tensor: tensor),
            torch.set_grad_enabled(trains),
        ):
            output = network(images)
    except NotImplementedError:
        return  # an operator that the meta device does not have
    except Exception as error:  # a network raises anything for an input that it cannot take
        raise _refused(plan, batch_size, size, error) from error
    _require_logits(plan, output)
    if trains and not plan.compile:
        _require_memory(plan, setup, network, saved.num_bytes, total_memory)


class _Saved:
    """Counts what a forward pass keeps for the backward pass, without the parameters."""

    def __init__(self, network: torch.nn.Module) -> None:
        self._parameters = {one.untyped_storage()._cdata for one in network.parameters()}
        self._sizes: dict[int, int] = {}

    def keep(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in self._parameters:
            self._sizes[storage._cdata] = storage.nbytes()
        return tensor

    @property
    def num_bytes(self) -> int:
        return sum(self._sizes.values())


def _refused(plan: Plan, batch_size: int, size: int, error: Exception) -> PlanError:
    if "more than 1 value per channel" in str(error):
        return PlanError(
            f"batch_size={plan.batch_size} gives model={plan.model.name} batch normalisation over "
            f"one value at {size} pixels ({batch_size} image a device); choose a larger batch_size "
            "or model.input_size"
        )
    return PlanError(
        f"model={plan.model.name} cannot take images of 3 x {size} x {size} pixels: "
        f"{type(error).__name__}: {one_line(error)}; change model.input_size or model.options"
    )


def _require_logits(plan: Plan, output: Any) -> None:
    """One number for each image and class; timm's Inception and distilled networks give pairs."""
    first = output[0] if isinstance(output, tuple | list) and output else output
    wanted = plan.data.options["num_classes"]
    shape = tuple(getattr(first, "shape", ()))
    if len(shape) != 2 or shape[1] != wanted:
        raise PlanError(
            f"model={plan.model.name} answers with {shape or type(first).__name__} for a batch of "
            f"images, not with (images, {wanted}); set data.options.num_classes, or give the "
            "network num_classes"
        )


def _require_memory(
    plan: Plan, setup: Any, network: torch.nn.Module, saved: int, total: int | None
) -> None:
    """The least that a step holds at once: weights, gradients, the optimizer's state and an average
    (4 bytes a parameter each), and what is kept for the backward pass (half of it in 16 bits)."""
    if total is None:
        return
    copies = 2 + (ADAM_STATES if "adam" in setup.optimizer else 1)
    parameters = sum(one.numel() for one in network.parameters()) * 4 * copies
    activations = saved // 2 if plan.precision in ("bf16", "fp16") else saved
    needed = parameters + activations
    if needed > total:
        raise PlanError(
            f"batch_size={plan.batch_size} of model={plan.model.name} needs at least "
            f"{needed / _GIB:.1f} GiB on each device, which has {total / _GIB:.1f}; choose a "
            "smaller batch_size, accumulation_steps=2 or more, precision=bf16, or a larger GPU"
        )
