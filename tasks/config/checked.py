"""Everything that can be refused before anything is built, in one call."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import cast

from omegaconf import DictConfig

from tasks.errors import PlanError
from tasks.plan import Plan, from_config
from tasks.protocol import Task


def checked_plan(config: DictConfig) -> Plan:
    """The plan of `config`, its task's own checks passed and the files that it names looked at.
    Raises `PlanError`: one line."""
    plan = from_config(config)
    _require_writable(plan.output_dir)
    task = cast(Task, importlib.import_module(f"tasks.{plan.task}.session"))
    for problem in task.check(plan):
        raise PlanError(problem)
    _ = plan.identity  # counts the files of a data set
    return plan


def _require_writable(folder: Path) -> None:
    """Creates nothing: the nearest folder that exists decides."""
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        why = "is not a folder" if not nearest.is_dir() else "gives no permission to write"
        raise PlanError(
            f"output_dir cannot be written: {nearest} {why}; set output_dir=FOLDER to one that can"
        )
