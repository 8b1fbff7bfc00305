"""What the sets of several tasks share: a layout that the config names, and files in it that are
written once in place of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from tasks.data.cache import written_once
from tasks.errors import PlanError, unknown
from tasks.plan import DataPlan

Layout = TypeVar("Layout")


def chosen(plan: DataPlan, option: str, layouts: Mapping[str, Layout]) -> Layout:
    """The layout that `data.options.OPTION` names. Raises `PlanError`."""
    name = str(plan.options.get(option))
    if name not in layouts:
        raise unknown(f"data.options.{option}", name, layouts, f"known: {', '.join(layouts)}")
    return layouts[name]


def embedded(plan: DataPlan, form: str, write: Callable[[Path], None], num_bytes: float) -> Path:
    """The folder of the set's embedded files, about `num_bytes`, filled by `write` where it is new.
    form: what makes other files of them. Raises `PlanError` where the cache cannot be written."""
    try:
        return written_once(Path(plan.cache_dir) / f"{plan.name}-{form}", write, num_bytes)
    except OSError as error:
        raise PlanError(
            f"data={plan.name} cannot be written to the cache: {error}; set data.cache_dir"
        ) from None
