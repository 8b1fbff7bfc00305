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
from tasks.running import step_memory

if TYPE_CHECKING:
    import torch


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
    saved = step_memory.Saved(network)
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
        needed = _least_bytes(plan, setup, network, saved.num_bytes)
        step_memory.require(plan, needed, total_memory, step_memory.shorter(plan))


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


def _least_bytes(plan: Plan, setup: Any, network: torch.nn.Module, saved: int) -> int:
    """Of a step in 16 bits half of what is kept has them."""
    is_short = plan.precision in ("bf16", "fp16")
    states = step_memory.ADAM_STATES if "adam" in setup.optimizer else step_memory.OTHER_STATES
    return step_memory.least_bytes(
        network,
        saved // 2 if is_short else saved,
        num_copies=states + (setup.ema_decay is not None),
        keeps_gradients=plan.accumulation_steps > 1,
    )
