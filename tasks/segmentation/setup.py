"""What of a segmentation run changes its result: config, what the user changed of it, data."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from tasks.data import public_sets
from tasks.plan import DataPlan, Plan
from tasks.segmentation import data


def parts(plan: Plan) -> dict[str, Any]:
    """Fields of `metering.setup.Asked`. The library's config holds the training set-up; what the
    user overrode of it is among the network's options. Raises `PlanError`."""
    crop = plan.model.options.get("crop")
    return {
        "network": plan.model.source,
        "network_options": plan.model.options,
        "input_size": tuple(crop) if isinstance(crop, list | tuple) else None,
        "data": public_sets.setup(plan.data, partial(_images, plan.data)),
    }


def _images(plan: DataPlan, root: Path) -> tuple[public_sets.Samples, public_sets.Samples]:
    """Of the training and of the test set. Raises `PlanError`."""
    data.check_root(plan)
    layout = data.layout_of(plan)
    train, test = (
        _files(root / layout.images[split], layout.image_suffix) for split in ("train", "val")
    )
    return train, test


@cache
def _files(folder: Path, suffix: str) -> public_sets.Samples:
    """Read once a process: every run of a sweep asks."""
    return tuple((path, None) for path in sorted(folder.rglob(f"*{suffix}")))
