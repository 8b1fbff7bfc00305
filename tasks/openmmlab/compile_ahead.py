"""torch.compile for an MMEngine Runner, ahead of the measurement.

MMEngine's own `compile` has the whole training step compiled at its first batch: inside the metered
window, with the optimizer, over whose parameter groups PyTorch 2.7 stumbles, and with the samples'
file names, each of which makes PyTorch compile anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from tasks.plan import Plan
from tasks.running.compilation import clear_errors, unchanged

if TYPE_CHECKING:
    from mmengine.runner import Runner


PARTS = ("backbone", "neck", "decode_head", "auxiliary_head", "cls_head")


def compile_ahead(runner: Runner, network: Any, plan: Plan, device: torch.device) -> list[str]:
    """Compile the parts of `network` that compute on tensors alone, and run what the plan's phases
    will run of them: forward and backward of a training batch, the forward of a test batch.

    network: the runner's without its wrapper. The batches are the loaders' first. Weights, buffers,
    gradients and random numbers are afterwards as before; the optimizer is not asked. Returns the
    names of the parts. Raises `CompileError`.
    """
    torch.compiler.reset()  # of an earlier run of this process
    parts = dict(_parts(network))
    for part in parts.values():
        part.forward = torch.compile(part.forward)
    with unchanged(network, device):
        if "train" in plan.phases:
            network.train()
            batch = next(runner.train_loop.dataloader_iterator)
            with clear_errors(plan, device):
                _loss(runner, network, batch).backward()
        if "test" in plan.phases:
            network.eval()
            batch = next(iter(runner.test_loop.dataloader))
            with clear_errors(plan, device):
                runner.test_loop.answers(batch)
    return list(parts)


def _loss(runner: Runner, network: Any, batch: Any) -> torch.Tensor:
    """As MMEngine's `train_step` computes it."""
    with runner.optim_wrapper.optim_context(runner.model):
        losses = runner.model._run_forward(network.data_preprocessor(batch, True), "loss")
    loss: torch.Tensor = network.parse_losses(losses)[0]
    return loss


def _parts(network: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    """Auxiliary and cascaded heads one by one. A head that takes the samples (Mask2Former's) stays
    as it is."""
    for name, part in network.named_children():
        if name not in PARTS:
            continue
        listed = isinstance(part, torch.nn.ModuleList)
        for index, one in enumerate(part if listed else [part]):
            if "batch_data_samples" not in inspect.signature(one.forward).parameters:
                yield (f"{name}.{index}" if listed else name), one
