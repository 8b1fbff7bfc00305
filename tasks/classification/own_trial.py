"""Passes through a network of the user's own, whose code nobody has run before: backward, as it
trains, and in evaluation, also with the few images of the last batch of a test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metering import catalogue
from tasks.classification import answers, setup
from tasks.classification.networks import one_line
from tasks.errors import PlanError
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch

_MOST_IMAGES = 2  # of a pass that is computed
_MOST_PARTS = 6  # of an answer that are shown


@dataclass(frozen=True)
class Findings:
    """What the passes told. notes: which parts of its answers are used; has_unused_parameters: some
    that are to be trained get no gradient, which DistributedDataParallel must know."""

    notes: tuple[str, ...] = ()
    has_unused_parameters: bool = False


def run(plan: Plan, network: torch.nn.Module, device: torch.device, size: int) -> Findings:
    """device: meta, where nothing is computed, or one on which few images are. size: pixels of the
    square images. Raises `PlanError`."""
    import torch

    def images(number: int) -> torch.Tensor:
        number = number if device.type == "meta" else min(number, _MOST_IMAGES)
        return torch.zeros((number, 3, size, size), device=device)

    notes, has_unused = [], False
    try:
        with torch.random.fork_rng(devices=[]):
            if "train" in plan.phases:
                network.train()
                notes.append(_backward(plan, network, images(plan.micro_batch)))
                has_unused = any(
                    one.requires_grad and one.grad is None for one in network.parameters()
                )
            if "test" in plan.phases:
                network.eval()
                sizes = _sizes_of_test_batches(plan)
                notes += [_evaluate(plan, network, images(number)) for number in sizes]
    except NotImplementedError:
        pass  # an operator that the meta device does not have
    return Findings(tuple(dict.fromkeys(filter(None, notes))), has_unused)


def _backward(plan: Plan, network: torch.nn.Module, images: torch.Tensor) -> str | None:
    """A note on its answer."""
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
            answers.loss(torch.nn.functional.cross_entropy, output, targets).backward()
        except NotImplementedError:
            raise
        except Exception as error:  # of a user's code anything may be wrong
            raise PlanError(
                f"model={plan.model.name} cannot be trained, its backward pass fails: "
                f"{type(error).__name__}: {one_line(error)}; correct its code"
            ) from error
    return answers.note(output, is_training=True)


def _evaluate(plan: Plan, network: torch.nn.Module, images: torch.Tensor) -> str | None:
    """A note on its answer."""
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
    require_logits(plan, output, f"a test batch of {number}", (len(images),))
    return answers.note(output, is_training=False)


def _sizes_of_test_batches(plan: Plan) -> list[int]:
    """Images of a rank's test batches: of most, and of the last."""
    ranks = plan.hardware.num_ranks
    most = plan.batch_size // ranks
    known = catalogue.data_set(plan.data.name)
    num_test = setup.data_setup(plan.data).num_test or (known.num_test if known else None)
    last = math.ceil(num_test / ranks) % most if num_test else 0
    return [most, last] if last else [most]


def require_logits(
    plan: Plan, output: Any, asked: str = "a batch of images", first: tuple[int, ...] = ()
) -> None:
    """One number for each image and class, at a clear place of the answer. first: how many images,
    where they are compared. Raises `PlanError`."""
    wanted = plan.data.options["num_classes"]

    def fits(part: Any) -> bool:
        shape = tuple(getattr(part, "shape", ()))
        return len(shape) == 2 and shape[1] == wanted and (not first or shape[:1] == first)

    answer = answers.read(output)
    if answer is None or not fits(answer.logits):
        cure = "return the logits alone"
        fitting = [name for name, part in answers.parts(output).items() if fits(part)]
        if len(fitting) == 1:
            place = answers.expression(output, fitting[0])
            cure += f" (a network around it whose forward returns self.network(images){place})"
        raise PlanError(
            f"model={plan.model.name} answers with {_described(output)} for {asked}, not with "
            f"({first[0] if first else 'images'}, {wanted}); {cure}, set "
            "data.options.num_classes, or give the network num_classes"
        )
    kinds = [
        one.dtype
        for one in (answer.logits, *answer.auxiliary.values())
        if not one.is_floating_point()
    ]
    if kinds:
        raise PlanError(
            f"model={plan.model.name} answers with {str(kinds[0]).removeprefix('torch.')}, not "
            "with real numbers; return the logits"
        )


def _described(output: Any) -> str:
    """Its kind, with the shapes or kinds of its parts."""
    if hasattr(output, "shape"):
        return str(tuple(output.shape))
    named = answers.parts(output).items()
    shown = [
        f"{name}: {tuple(part.shape) if hasattr(part, 'shape') else type(part).__name__}"
        for name, part in list(named)[:_MOST_PARTS]
    ]
    shown += ["..."] * (len(named) > _MOST_PARTS)
    return type(output).__name__ + (f" ({', '.join(shown)})" if shown else "")
