"""Supervised pre-training on a larger set: the same step with that set's number of classes."""

from __future__ import annotations

import dataclasses
from typing import Any

from metering import catalogue
from tasks.classification import networks as models
from tasks.classification.stages import supervised
from tasks.classification.stages.step import Step
from tasks.errors import unknown
from tasks.plan import Plan

# pre-trained with other windows than it is used with: Liu 2022 (Swin V2), appendix A1
SOURCES: dict[tuple[str, int | None], str] = {
    ("swinv2_base_window8_256", 192): "swinv2_base_window12_192"
}


def num_classes(plan: Plan) -> int:
    """Of the set that the recipe's pre-training names. Raises `PlanError` for an unknown one."""
    name = next(stage.dataset for stage in plan.model.recipe if stage.name == "pretrain")
    known = catalogue.data_set(name)
    if known is None or known.num_classes is None:
        sets = [
            data_set.name for data_set in catalogue.DATA_SETS if data_set.num_classes is not None
        ]
        raise unknown("dataset of the stage pretrain", name, sets, f"known: {', '.join(sets)}")
    return known.num_classes


def plan_of(plan: Plan) -> Plan:
    """`plan` as it is on the set that its recipe's pre-training names."""
    options = plan.data.options | {"num_classes": num_classes(plan)}
    source = SOURCES.get((plan.model.source, plan.model.input_size), plan.model.source)
    return dataclasses.replace(
        plan,
        data=dataclasses.replace(plan.data, options=options),
        model=dataclasses.replace(plan.model, source=source),
    )


def note(plan: Plan) -> str:
    """What a reader of the record must know."""
    classes = plan_of(plan).data.options["num_classes"]
    return (
        f"pre-training step with a head of {classes:,} classes on images of data={plan.data.name}"
    )


def step(plan: Plan, device: Any) -> Step:
    """The plain step of the network as it is pre-trained."""
    there = plan_of(plan)
    plain_step = supervised.step(there, device)
    size = models.input_size(there)
    return dataclasses.replace(plain_step, input_size=size, notes=(note(plan),))
