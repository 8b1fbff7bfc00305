"""What of an action recognition run changes its result: its config with what the user changed of
it, and its data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from metering.setup import DataSetUp
from tasks.action_recognition import data
from tasks.action_recognition.config import variant_of
from tasks.data import public_sets
from tasks.errors import PlanError
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
    counts = [_num_lines(root / layout.lists[split]) for split in data.SPLITS]
    return public_sets.on_disk(plan, counts[0], counts[1])


@cache
def _num_lines(path: Path) -> int:
    """Read once a process: every run of a sweep asks."""
    try:
        return sum(1 for line in path.read_bytes().splitlines() if line.strip())
    except OSError as error:
        raise PlanError(f"data.root: {path} cannot be read: {error}; give one that can") from None
