"""kWh per sample as the paper has them, on its hardware, for runs that nobody has measured yet."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from tasks.plan import Plan

_PUBLISHED = Path(__file__).resolve().parent.parent / "analysis" / "published"
_FILES = {"action_recognition": "action"}
# The sets that the published test kWh were read over: Russakovsky 2015, Cordts 2016, Zhou 2017,
# Kay 2017 and Goyal 2017 (as MMAction2 counts them).
_NUM_TEST_SAMPLES = {
    "ImageNet-1k": 50_000,
    "Cityscapes": 500,
    "ADE20K": 2_000,
    "K400": 19_761,
    "SSv2": 24_777,
}
_DATASETS = {
    "cityscapes": "Cityscapes",
    "ade20k": "ADE20K",
    "kinetics400": "K400",
    "sthv2": "SSv2",
}


def published_rate(plan: Plan, phase: str) -> float | None:
    """kWh per sample of the plan's row and stage; None where the paper has none."""
    dataset = _DATASETS.get(plan.data.name, "ImageNet-1k")
    row = plan.model.paper_row
    if phase == "train":
        return _rates().get((row or "", dataset, plan.stage))
    kwh = _test_kwh(plan.task).get((row or "", dataset))
    return None if kwh is None else kwh / _NUM_TEST_SAMPLES[dataset]


@cache
def _rates() -> dict[tuple[str, str, str], float]:
    """kWh per training sample by row, data set and workload."""
    return {
        (line["row"], line["dataset"], line["workload"]): float(line["kwh"])
        / float(line["num_samples"])
        for line in _lines("rates")
    }


@cache
def _test_kwh(task: str) -> dict[tuple[str, str], float]:
    """kWh of the whole test set by row and data set."""
    return {
        (line["model"], line["dataset"]): float(line["value"])
        for line in _lines(_FILES.get(task, task))
        if line["quantity"] == "test_kwh" and line["value"]
    }


def _lines(name: str) -> list[dict[str, str]]:
    with (_PUBLISHED / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
