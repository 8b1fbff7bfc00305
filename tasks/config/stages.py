"""Which stages of its recipe a model can be measured in, and what each is called in a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.errors import PlanError

SUPERVISED = "supervised"
PRETRAIN = "pretrain"
DISTILL = "distill"


class NoSuchStage(PlanError):
    """The model's recipe has no such stage."""


def stages_of(recipe: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a user may call a stage of `recipe` -> its name in the record.

    A stage with a workload of its own (`mae`, `clip`, ...) is called after it; supervised
    pre-training on a larger set is `pretrain`, a step with a teacher's forward pass `distill`;
    plain training and fine-tuning are both `supervised`. `first` and `last` are the recipe's
    first and last stage of its own, so that one sweep suits models with and without pre-training.
    """
    found = {SUPERVISED: SUPERVISED}
    order: list[str] = []
    for stage in recipe:
        if stage.get("row") is not None:
            continue
        name, workload = str(stage["name"]), str(stage.get("workload", SUPERVISED))
        if workload != SUPERVISED:
            found |= {name: workload, workload: workload}
        else:
            found[name] = PRETRAIN if name == PRETRAIN else SUPERVISED
        order.append(found[name])
    if any(stage.get("name") == "teacher" for stage in recipe):
        found[DISTILL] = DISTILL
    if order:
        found |= {"first": order[0], "last": order[-1]}
    return found


def resolve(wanted: str, recipe: Sequence[Mapping[str, Any]], model: str) -> str:
    """The record's name of the stage that the user calls `wanted`. Raises `NoSuchStage`."""
    known = stages_of(recipe)
    if wanted not in known:
        raise NoSuchStage(
            f"model={model} has no stage={wanted}; its stages: {', '.join(known)}. Choose one"
        )
    return known[wanted]
