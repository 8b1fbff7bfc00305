"""What of an action recognition run changes its result: its config with what the user changed of
it, and its data."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from tasks.action_recognition import data, lists
from tasks.action_recognition.config import variant_of
from tasks.data import public_sets
from tasks.plan import DataPlan, Plan


def parts(plan: Plan) -> dict[str, Any]:
    """Fields of `metering.setup.Asked`. The library's config holds the training set-up; `epochs`
    is left out, which only the recipe reads. Raises `PlanError`."""
    options = {key: value for key, value in variant_of(plan).items() if key != "epochs"}
    source = options.pop("source", plan.model.source)
    return {
        "network": str(source),
        "network_options": options,
        "data": public_sets.setup(plan.data, partial(_videos, plan.data)),
    }


def _videos(plan: DataPlan, root: Path) -> tuple[public_sets.Samples, public_sets.Samples]:
    """Of the training and of the test set. Raises `PlanError`."""
    data.check_root(plan)
    layout = data.layout_of(plan)
    train, test = (
        [
            (root / layout.videos[split] / name, label)
            for name, label in lists.read(root / layout.lists[split])
        ]
        for split in data.SPLITS
    )
    return train, test
