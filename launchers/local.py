"""Runs on this machine, one after the other: two at once would falsify both readings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.execute import Outcome, execute
from tasks.plan import Plan


def run(plan: Plan, say: Callable[[Any], None] = lambda _: None) -> Outcome:
    """Execute `plan` here and now."""
    return execute(plan, say=say)
