"""What of a segmentation run changes its result: config, what the user changed of it, data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from metering.setup import DataSetUp
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
        "data": data_setup(plan.data),
    }


def data_setup(plan: DataPlan) -> DataSetUp:
    """Raises `PlanError` where the folder is not in the set's layout."""
    if plan.root is None:
        return public_sets.embedded(plan)
    data.check_root(plan)
    layout = data.layout_of(plan)
    root = Path(plan.root).expanduser().absolute()
    counts = [
        _num_files(root / layout.images[split], layout.image_suffix) for split in ("train", "val")
    ]
    return public_sets.on_disk(plan, counts[0], counts[1])


@cache
def _num_files(folder: Path, suffix: str) -> int:
    """Read once a process: every run of a sweep asks."""
    return sum(1 for _ in folder.rglob(f"*{suffix}"))
