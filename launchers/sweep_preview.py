"""`dry_run=true` of a sweep on this machine: a line for each run, then the cost of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from launchers import power_limit
from launchers.composition import compose_runs
from launchers.preview import run_line, sweep_lines, why_not_run
from tasks.config.origin import launcher_not_taken
from tasks.errors import PlanError
from tasks.plan import Plan


def show(
    context: Any,
    config: Any,
    job_overrides: Sequence[Sequence[str]],
    first: int,
    check: Callable[[Plan], None],
    launch: Callable[[Sequence[str], int], None],
) -> None:
    """Print it. check: raises `PlanError` for a plan that ends the command; launch: what Hydra does
    with a run, which takes several times as long: it says what is wrong with one."""
    to_run = []
    for number, overrides in enumerate(job_overrides, start=first):
        plans = _plans(context, config, overrides, number)
        if plans is None:
            launch(overrides, number)
            continue
        for plan in plans:
            check(plan)
            print(run_line(plan, is_here=True), flush=True)
        to_run += [plan for plan in plans if not why_not_run(plan, is_here=True)]
    if to_run:
        print("\n".join(sweep_lines(to_run, is_here=True)), flush=True)


def _plans(context: Any, config: Any, overrides: Sequence[str], number: int) -> list[Plan] | None:
    """None where a run is refused, or is no preview."""
    runs = compose_runs(context, config, [overrides], number)
    plans = [run.plan for run in runs if run.plan is not None and run.plan.dry_run]
    if len(plans) < len(runs) or launcher_not_taken(runs[0].config.hydra):
        return None
    try:
        for plan in plans:
            power_limit.check(plan)
    except PlanError:
        return None
    return plans
