"""What a SLURM job does: run the plan as it was submitted, and note what happened."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from typing import Any

from launchers import failed, rank_failure, ranks
from metering.record import write
from tasks.plan import Plan


class PlanJob:
    """Pickled at submission and called once per rank; Submitit calls `checkpoint` before a
    requeue."""

    def __init__(self, plan: Plan, code: dict[str, Any]) -> None:
        self.plan = plan
        self.code = code

    def __call__(self) -> str:
        _leave_on_signals()
        if os.environ.get("SLURM_PROCID", "0") == "0":
            rank_failure.take(self.plan.folder)
        outcome = ranks.execute_rank(self.plan, ranks.from_slurm)
        if os.environ.get("SLURM_PROCID", "0") == "0" and not outcome.reused:
            self._complete(outcome.record)
        return str(outcome.record.status)

    def _complete(self, record: Any) -> None:
        """Add what only the job knows: earlier attempts, and code that changed in between."""
        notes = list(record.notes)
        job_id = os.environ.get("SLURM_JOB_ID", "")
        node = os.environ.get("SLURMD_NODENAME", "a node")
        devices = os.environ.get("CUDA_VISIBLE_DEVICES", "none")
        notes.append(f"SLURM job {job_id} on {node}, CUDA_VISIBLE_DEVICES {devices}")
        if record.code != self.code:
            notes.append(f"the code changed between submission ({self.code}) and the run")
        write(
            dataclasses.replace(
                record,
                notes=tuple(notes),
                overheads=(*record.overheads, *failed.interrupted_attempts(self.plan.folder)),
            ),
            self.plan.folder,
        )

    def checkpoint(self) -> Any:
        """The same run again, whole: what this attempt measured is kept as its overhead."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(PlanJob(self.plan, self.code))


def _leave_on_signals() -> None:
    """SIGUSR1 means what Submitit's signal means: write down, requeue, leave. SIGTERM comes
    with scancel, pre-emption and requeue alike: SLURM has decided, so only write down and
    leave."""
    from submitit.core.job_environment import JobEnvironment

    requeue = signal.getsignal(JobEnvironment._usr_sig())
    if callable(requeue):
        signal.signal(signal.SIGUSR1, requeue)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
