"""Supervised pre-training on a larger set: the same step with that set's number of classes."""

from __future__ import annotations

import dataclasses
from typing import Any

from tasks.classification import networks as models
from tasks.classification.stages import supervised
from tasks.classification.stages.step import Step
from tasks.plan import Plan

NUM_CLASSES = {
    "imagenet21k": 21843,  # the heads that Google published, Steiner 2021
    "imagenet22k": 21841,  # Liu 2021 (Swin), section 4.1; Liu 2022 (ConvNeXt), appendix A
    "jft300m": 18291,  # Dosovitskiy 2021, section 4.1: about 18 thousand classes
}
# pre-trained at another size than it is used at: Liu 2022 (Swin V2), appendix A1
SOURCES: dict[tuple[str, int | None], tuple[str, int | None]] = {
    ("swinv2_base_window8_256", 256): ("swinv2_base_window12_192", 192)
}


def plan_of(plan: Plan) -> Plan:
    """`plan` as it is on the set that its recipe's pre-training names."""
    dataset = next(stage["dataset"] for stage in plan.model.recipe if stage["name"] == "pretrain")
    options = plan.data.options | {"num_classes": NUM_CLASSES[dataset]}
    used = (plan.model.source, plan.model.input_size)
    source, size = SOURCES.get(used, used)
    return dataclasses.replace(
        plan,
        data=dataclasses.replace(plan.data, options=options),
        model=dataclasses.replace(plan.model, source=source, input_size=size),
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
    found = supervised.step(there, device)
    size = models.input_size(there)
    return dataclasses.replace(found, input_size=size, notes=(note(plan),))
