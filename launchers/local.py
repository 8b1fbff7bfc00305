"""One run on this machine: in this process, as one rank of torchrun, or as ranks spawned here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import PlanError

if TYPE_CHECKING:  # what runs is imported when something runs: `--cfg job` answers at once
    from tasks.plan import Plan
    from tasks.running.execute import Outcome

_delivered: dict[Path, Outcome] = {}


def deliver(plan: Plan, outcome: Outcome) -> None:
    """Another machine has run `plan`: `run` answers with this outcome instead of running it."""
    _delivered[plan.folder] = outcome


def run(plan: Plan, say: Callable[[Any], None] = lambda _: None) -> Outcome:
    """Execute `plan` here and now. Raises `PlanError` for more nodes than this one."""
    from tasks.running.execute import Outcome, execute, finished

    if plan.folder in _delivered:
        return _delivered.pop(plan.folder)
    if plan.hardware.devices * plan.hardware.nodes == 1:
        return execute(plan, say=say)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return _as_started_rank(plan, say)
    if plan.hardware.nodes > 1:
        raise PlanError(
            f"hardware.nodes={plan.hardware.nodes} spans machines; "
            "use hydra/launcher=slurm or start it with torchrun"
        )
    done = None if plan.force else finished(plan)
    if done is not None:
        return Outcome(done, plan.folder, reused=True)
    from launchers import spawn

    return spawn.run(plan, say)


def _as_started_rank(plan: Plan, say: Callable[[Any], None]) -> Outcome:
    """One of torchrun's ranks. Where another rank failed first, its words go into the record."""
    from launchers import failed, rank_failure, ranks

    leads = os.environ.get("RANK", "0") == "0"
    if leads:
        rank_failure.take(plan.folder)  # an earlier attempt's
    try:
        return ranks.execute_rank(plan, ranks.from_environment, say)
    except BaseException:
        failure = rank_failure.take(plan.folder) if leads else None
        if failure is not None and failure.rank != 0:
            failed.leave_record(plan, failure, rank_failure.status(failure))
        raise
