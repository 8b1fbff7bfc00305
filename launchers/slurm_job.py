"""What a SLURM job does: run the plan as it was submitted, and note what happened."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

from launchers import rank_failure, ranks
from metering import stop_flag
from metering.code_version import code_version
from tasks.plan import Plan
from tasks.terminal.progress import terminal_progress


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
        with terminal_progress() as say:  # into the job's log
            outcome = ranks.execute_rank(self.plan, ranks.from_slurm, say, self._remarks())
        return str(outcome.record.status)

    def _remarks(self) -> list[str]:
        """What only the job knows: where it ran, and code that changed since its submission."""
        job_id = os.environ.get("SLURM_JOB_ID", "")
        node = os.environ.get("SLURMD_NODENAME", "a node")
        devices = os.environ.get("CUDA_VISIBLE_DEVICES", "none")
        remarks = [f"SLURM job {job_id} on {node}, CUDA_VISIBLE_DEVICES {devices}"]
        if (now := code_version()) != self.code:
            remarks.append(f"the code changed between submission ({self.code}) and the run ({now})")
        return remarks

    def checkpoint(self) -> Any:
        """The same run again, whole: what this attempt measured is kept as its overhead."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(PlanJob(self.plan, self.code))


def _leave_on_signals() -> None:
    """SIGUSR1 means what Submitit's signal means: write down, requeue, leave. SIGTERM comes
    with scancel, pre-emption and requeue alike: SLURM has decided, so only write down and
    leave. What is being written down is not disturbed by a second signal, and a library that
    swallows the exit does not keep the run from ending: windows look at the stop flag."""
    from submitit.core.job_environment import JobEnvironment

    warning = JobEnvironment._usr_sig()
    requeue = signal.getsignal(warning)
    numbers = {signal.SIGTERM, signal.SIGUSR1, warning}
    owner = os.getpid()

    def once(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a loader's worker, forked from here: the run ends it itself
            signal.signal(number, signal.SIG_DFL)
            return
        if number != signal.SIGTERM and os.environ.get("SLURM_PROCID", "0") != "0":
            return  # rank 0 requeues the job, which then ends every rank
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        leaving = SystemExit(128 + number)
        stop_flag.ask(leaving)
        if number != signal.SIGTERM and callable(requeue):
            try:
                requeue(number, frame)
            except FileNotFoundError:  # in a container: then it ends here, and says so
                print("scontrol is not on PATH: not requeued", file=sys.stderr, flush=True)
        raise leaving

    for number in numbers:
        signal.signal(number, once)
