"""Passes through a network of the user's own, whose code nobody has run before: backward, as it
trains, and in evaluation, also with the few images of the last batch of a test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from metering import catalogue
from tasks.classification import setup
from tasks.classification.networks import one_line
from tasks.errors import PlanError
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch

_MOST_IMAGES = 2  # of a pass that is computed


def run(plan: Plan, network: torch.nn.Module, device: torch.device, size: int) -> None:
    """device: meta, where nothing is computed, or one on which few images are. size: pixels of the
    square images. Raises `PlanError`."""
    import torch

    def images(number: int) -> torch.Tensor:
        number = number if device.type == "meta" else min(number, _MOST_IMAGES)
        return torch.zeros((number, 3, size, size), device=device)

    try:
        with torch.random.fork_rng(devices=[]):
            if "train" in plan.phases:
                network.train()
                _backward(plan, network, images(plan.micro_batch))
            if "test" in plan.phases:
                network.eval()
                for number in _sizes_of_test_batches(plan):
                    _evaluate(plan, network, images(number))
    except NotImplementedError:
        return  # an operator that the meta device does not have


def _backward(plan: Plan, network: torch.nn.Module, images: torch.Tensor) -> None:
    import torch

    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise PlanError(
            f"model={plan.model.name} has no parameter that is trained (requires_grad); use "
            "phases=[test], or let some be trained"
        )
    with torch.enable_grad():
        output = network(images)
        require_logits(plan, output, f"a batch of {len(images)} images", (len(images),))
        targets = torch.zeros(len(images), dtype=torch.int64, device=images.device)
        try:
            losses = [torch.nn.functional.cross_entropy(part, targets) for part in _parts(output)]
            torch.stack(losses).sum().backward()
        except NotImplementedError:
            raise
        except Exception as error:  # of a user's code anything may be wrong
            raise PlanError(
                f"model={plan.model.name} cannot be trained, its backward pass fails: "
                f"{type(error).__name__}: {one_line(error)}; correct its code"
            ) from error


def _evaluate(plan: Plan, network: torch.nn.Module, images: torch.Tensor) -> None:
    import torch

    number = f"{len(images)} image{'s' * (len(images) > 1)}"
    try:
        with torch.no_grad():
            output = network(images)
    except NotImplementedError:
        raise
    except Exception as error:  # of a user's code anything may be wrong
        raise PlanError(
            f"model={plan.model.name} cannot be tested with a batch of {number}: "
            f"{type(error).__name__}: {one_line(error)}; correct its code"
        ) from error
    if isinstance(output, tuple):
        raise PlanError(
            f"model={plan.model.name} answers a test batch with a tuple of {len(output)}; return "
            "the logits alone in evaluation (if not self.training)"
        )
    require_logits(plan, output, f"a test batch of {number}", (len(images),))


def _sizes_of_test_batches(plan: Plan) -> list[int]:
    """Images of a rank's test batches: of most, and of the last."""
    ranks = plan.hardware.num_ranks
    most = plan.batch_size // ranks
    known = catalogue.data_set(plan.data.name)
    num_test = setup.data_setup(plan.data).num_test or (known.num_test if known else None)
    last = math.ceil(num_test / ranks) % most if num_test else 0
    return [most, last] if last else [most]


def _parts(output: Any) -> tuple[Any, ...]:
    """timm's Inception and distilled networks give pairs in training."""
    return output if isinstance(output, tuple) and len(output) == 2 else (output,)


def require_logits(
    plan: Plan, output: Any, asked: str = "a batch of images", first: tuple[int, ...] = ()
) -> None:
    """One number for each image and class. first: how many images, where they are compared. Raises
    `PlanError`."""
    wanted = plan.data.options["num_classes"]
    shapes = [tuple(getattr(part, "shape", ())) or type(part).__name__ for part in _parts(output)]
    if any(
        isinstance(shape, str) or shape[1:] != (wanted,) or (first and shape[:1] != first)
        for shape in shapes
    ):
        sizes = " and ".join(map(str, shapes))
        raise PlanError(
            f"model={plan.model.name} answers with {sizes} for {asked}, not with "
            f"({first[0] if first else 'images'}, {wanted}); return the logits alone, set "
            "data.options.num_classes, or give the network num_classes"
        )
    kinds = [part.dtype for part in _parts(output) if not part.is_floating_point()]
    if kinds:
        raise PlanError(
            f"model={plan.model.name} answers with {str(kinds[0]).removeprefix('torch.')}, not "
            "with real numbers; return the logits"
        )
