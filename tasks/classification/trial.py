"""A pass through the network that computes nothing: what cannot work is refused before anything is
opened or built.

On PyTorch's meta device tensors have shapes and no numbers, so that a batch of any network takes a
moment and no memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.classification import networks as models
from tasks.classification import own_trial, weights
from tasks.classification.networks import one_line
from tasks.classification.own_trial import Findings
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running import step_memory

if TYPE_CHECKING:
    import torch

OF_ONE_VALUE = "more than 1 value per channel"
"""What PyTorch says of batch normalisation over a single value."""


def run(plan: Plan, setup: Any, total_memory: int | None) -> Findings:
    """A training pass (or a test pass) of a rank's batch. total_memory: bytes of the device, None
    where unknown. Raises `PlanError` for weights of another network, an input that the network
    cannot take, batch normalisation of one value, or memory that cannot suffice."""
    import torch

    network = models.build_without_weights(plan)
    weights.require_fit(plan, network)
    first = next(network.parameters(), None)
    if first is None:
        raise PlanError(
            f"model={plan.model.name} has no parameters, so there is nothing to train; make them "
            "in its __init__"
        )
    trains = "train" in plan.phases
    network.train(trains)
    batch_size = plan.micro_batch if trains else plan.batch_size // plan.hardware.num_ranks
    size = models.input_size(plan, for_test=not trains)
    if first.device.type != "meta":  # one of the user's own that only exists with numbers
        return _pass_numbers(plan, network, first.device, min(batch_size, 2), size)
    saved = step_memory.Saved(network)
    images = torch.zeros((batch_size, 3, size, size), device="meta")
    try:
        with (
            torch.autograd.graph.saved_tensors_hooks(saved.keep, lambda tensor: tensor),
            torch.set_grad_enabled(trains),
        ):
            output = network(images)
    except NotImplementedError:
        return Findings()  # an operator that the meta device does not have
    except Exception as error:  # a network raises anything for an input that it cannot take
        if not models.is_own(plan) or OF_ONE_VALUE in str(error):
            raise _refused(plan, batch_size, size, error) from error
        return _pass_computed(plan, batch_size, size)
    own_trial.require_logits(plan, output)
    findings = Findings()
    if models.is_own(plan):
        try:
            findings = own_trial.run(plan, network, images.device, size)
        except PlanError as refusal:
            if refusal.__cause__ is None:  # of shapes, which are the same with numbers
                raise
            findings = _pass_computed(plan, batch_size, size)
    if trains and not plan.compile:
        needed = _least_bytes(plan, setup, network, saved.num_bytes)
        step_memory.require(plan, needed, total_memory, step_memory.shorter(plan))
    return findings


def _pass_computed(plan: Plan, batch_size: int, size: int) -> Findings:
    """Passes of a network that may look at numbers, which the meta device does not have, or be
    wrong, which numbers tell too. Raises `PlanError`."""
    import torch

    network = models.build(plan, with_checkpoint=False).train("train" in plan.phases)
    return _pass_numbers(plan, network, torch.device("cpu"), min(batch_size, 2), size)


def _pass_numbers(
    plan: Plan, network: torch.nn.Module, device: torch.device, num_images: int, size: int
) -> Findings:
    """A pass of a few images that is computed, without the check of memory. Raises `PlanError`."""
    import torch

    images = torch.zeros((num_images, 3, size, size), device=device)
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            output = network(images)
    except Exception as error:  # a network raises anything for an input that it cannot take
        raise _refused(plan, num_images, size, error) from error
    own_trial.require_logits(plan, output)
    return own_trial.run(plan, network, device, size)


def _refused(plan: Plan, batch_size: int, size: int, error: Exception) -> PlanError:
    if OF_ONE_VALUE in str(error):
        return PlanError(
            f"batch_size={plan.batch_size} gives model={plan.model.name} batch normalisation over "
            f"one value at {size} pixels ({batch_size} image a device); choose a larger batch_size "
            "or model.input_size"
        )
    cure = "correct its code, or change" if models.is_own(plan) else "change"
    return PlanError(
        f"model={plan.model.name} cannot take images of 3 x {size} x {size} pixels: "
        f"{type(error).__name__}: {one_line(error)}; {cure} model.input_size or model.options"
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
