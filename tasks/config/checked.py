"""Everything that can be refused before anything is built, in one call."""

from __future__ import annotations

import importlib
from typing import cast

from omegaconf import DictConfig

from tasks.errors import PlanError
from tasks.plan import Plan, from_config
from tasks.protocol import Task


def checked_plan(config: DictConfig) -> Plan:
    """The plan of `config`, its task's own checks passed and the files that it names looked at.
    Raises `PlanError`: one line."""
    plan = from_config(config)
    task = cast(Task, importlib.import_module(f"tasks.{plan.task}.session"))
    for problem in task.check(plan):
        raise PlanError(problem)
    _ = plan.identity  # counts the files of a data set
    return plan
