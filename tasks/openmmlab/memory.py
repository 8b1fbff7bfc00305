"""Whether a training step of an OpenMMLab network can fit into memory; see
`tasks.running.step_memory`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from tasks.openmmlab.metered import MeteredRun
from tasks.plan import Plan
from tasks.running import device as devices
from tasks.running import step_memory

Forward = Callable[[Any, Any], None]
"""(network, images on the meta device): passes them through it, as training does."""


def require(
    run: MeteredRun, plan: Plan, forward: Forward, shape: tuple[int, ...], cure: str
) -> None:
    """shape: of a rank's batch as the network gets it. Raises `PlanError`."""
    if "train" not in plan.phases or plan.compile:
        return
    needed = least_bytes(run, plan, forward, shape)
    total = devices.total_memory(run.device, plan.hardware.devices)
    if run.device.type != "cpu":  # where MMEngine has no other precision
        cure += step_memory.shorter(plan)
    step_memory.require(plan, needed, total, cure)


def least_bytes(run: MeteredRun, plan: Plan, forward: Forward, shape: tuple[int, ...]) -> int:
    """Of a rank's step."""
    num_bytes = _num_saved(run.model, forward, shape)
    return step_memory.least_bytes(
        run.model,
        num_bytes // 2 if plan.precision in ("bf16", "fp16") else num_bytes,
        num_copies=_num_states(run.runner.optim_wrapper.optimizer),
        keeps_gradients=plan.accumulation_steps > 1,
    )


def _num_saved(network: Any, forward: Forward, shape: tuple[int, ...]) -> int:
    import torch

    saved = None
    with contextlib.suppress(Exception):  # an operator without a meta form, or no copy: what was
        # kept until there is the least
        twin = step_memory.on_meta(network).train()
        saved = step_memory.Saved(twin)
        with torch.autograd.graph.saved_tensors_hooks(saved.keep, lambda tensor: tensor):
            forward(twin, torch.zeros(shape, device="meta"))
    return saved.num_bytes if saved else 0


def _num_states(optimizer: Any) -> int:
    """Copies of the weights that the optimizer keeps."""
    if "adam" in type(optimizer).__name__.lower():
        return step_memory.ADAM_STATES
    momentum = any(group.get("momentum") for group in optimizer.param_groups)
    return step_memory.OTHER_STATES if momentum else 0
