"""What of an action recognition run changes its result: its config with what the user changed of
it, and its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metering.setup import DataSetUp
from tasks.action_recognition import data, lists
from tasks.action_recognition.config import variant_of
from tasks.data import public_sets
from tasks.plan import DataPlan, Plan


def parts(plan: Plan) -> dict[str, Any]:
    """Fields of `metering.setup.Asked`. The library's config holds the training set-up; `epochs`
    is left out, which only the recipe reads. Raises `PlanError`."""
    options = {key: value for key, value in variant_of(plan).items() if key != "epochs"}
    source = options.pop("source", plan.model.source)
    return {"network": str(source), "network_options": options, "data": data_setup(plan.data)}


def data_setup(plan: DataPlan) -> DataSetUp:
    """Raises `PlanError` where the folder is not in the set's layout."""
    if plan.root is None:
        return public_sets.embedded(plan)
    data.check_root(plan)
    layout = data.layout_of(plan)
    root = Path(plan.root).expanduser().absolute()
    counts = [len(lists.read(root / layout.lists[split])) for split in data.SPLITS]
    return public_sets.on_disk(plan, counts[0], counts[1])
