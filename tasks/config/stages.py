"""Which stages of its recipe a model can be measured in, and what each is called in a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metering.record import Stage
from tasks.errors import PlanError

SUPERVISED = "supervised"
PRETRAIN = "pretrain"
DISTILL = "distill"


class NoSuchStage(PlanError):
    """The model's recipe has no such stage."""


def stages_of(recipe: Sequence[Stage]) -> dict[str, str]:
    """What a user may call a stage of `recipe` -> its name in the record.

    A stage with a workload of its own (`mae`, `clip`, ...) is called after it; supervised
    pre-training on a larger set is `pretrain`, a step with a teacher's forward pass `distill`;
    plain training and fine-tuning are both `supervised`. `first` and `last` are the recipe's
    first and last stage of its own, so that one sweep suits models with and without pre-training.
    """
    names = {SUPERVISED: SUPERVISED} | {called: _in_record(stage) for called, stage in _own(recipe)}
    if any(stage.name == "teacher" for stage in recipe):
        names[DISTILL] = DISTILL
    return names


def resolve(wanted: str, recipe: Sequence[Stage], model: str) -> str:
    """The record's name of the stage that the user calls `wanted`. Raises `NoSuchStage`."""
    known = stages_of(recipe)
    if wanted not in known:
        raise NoSuchStage(
            f"model={model} has no stage={wanted}; its stages: {', '.join(known)}. Choose one"
        )
    return known[wanted]


def size_of_stage(wanted: str, recipe: Sequence[Stage], default: int | None) -> int | None:
    """Pixels that the stage has which the user calls `wanted`; `default` where it names none of
    its own: plain `supervised` is the model as its row prints it."""
    return next((stage.input_size for called, stage in _own(recipe) if called == wanted), default)


def _own(recipe: Sequence[Stage]) -> Iterator[tuple[str, Stage]]:
    """(what a user may call it, stage), of the stages that are no other row's."""
    own = [stage for stage in recipe if stage.row is None]
    for stage in own:
        yield stage.name, stage
        if stage.workload != SUPERVISED:
            yield stage.workload, stage
    if own:
        yield "first", own[0]
        yield "last", own[-1]


def _in_record(stage: Stage) -> str:
    if stage.workload != SUPERVISED:
        return stage.workload
    return PRETRAIN if stage.name == PRETRAIN else SUPERVISED
