"""What a job does: one run of its list, as it was submitted.

    python -m launchers.slurm_job PLANS_FILE NUMBER      once per rank, by the job's `srun`

Exit status 0: measured; 1: the record says why not; 75: the whole job is to end.
"""

from __future__ import annotations

import atexit
import dataclasses
import os
import pickle
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from launchers import (
    died,
    failed,
    rank_failure,
    ranks,
    slurm_code,
    slurm_draft,
    slurm_leaving,
    slurm_state,
)
from launchers.slurm_resources import LEAVES
from metering import atomic_file, stop_flag
from metering.record import Failure
from metering.scheduler import job_id
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.terminal.progress import terminal_progress

NO_SCONTROL = (
    "scontrol is not on PATH in the job: where SLURM ends it, its log and the environment alone "
    "tell why"
)


@dataclass(frozen=True)
class JobList:
    """What the jobs of one array read: of each job its runs, one after the other. files: digests
    of the files that the runs name, by path, when they were submitted."""

    jobs: tuple[tuple[Plan, ...], ...]
    rules: slurm_leaving.Rules
    files: dict[str, str]


def write_list(path: Path, jobs: Sequence[Sequence[Plan]], rules: slurm_leaving.Rules) -> None:
    files: dict[str, str] = {}
    for plan in (plan for plans in jobs for plan in plans):
        files |= slurm_code.file_digests(plan)
    content = pickle.dumps(JobList(tuple(tuple(plans) for plans in jobs), rules, files))
    atomic_file.write(path, content)


def begun(number: int) -> str:
    """How the line of a job's log begins that tells of its run of this number."""
    return f"run {number}: "


def ended_marker(folder: Path, job: str, number: int) -> Path:
    """Exists once that run of the job has ended: a requeue does not begin it again."""
    return folder / f"{job}.{number}.ended"


def main() -> int:
    path, number = Path(sys.argv[1]), int(sys.argv[2])
    job_list: JobList = pickle.loads(path.read_bytes())
    plans = job_list.jobs[int(os.environ.get("SLURM_ARRAY_TASK_ID", "0"))]
    leads = os.environ.get("SLURM_PROCID", "0") == "0"
    log = slurm_leaving.JobLog(path.parent / f"{job_id()}.log")
    if leads:
        slurm_draft.become_record(plans[number].folder, None, slurm_state.earlier_end)
        correct_earlier(plans[number])
    run = _Run(plans[number], number, leads, job_list, log)
    try:
        status = run.execute()
    finally:
        if leads and run.has_record:
            slurm_draft.forget(run.plan.folder)
    if leads and (status != LEAVES or run.has_ended):
        ended_marker(path.parent, job_id(), number).touch()
        if status == LEAVES and number + 1 < len(plans) and job_list.rules.requeue:
            slurm_leaving.requeue(path.parent)  # this run has ended, the others have not begun
    return status


def correct_earlier(plan: Plan) -> None:
    """An attempt of this job that failed since a node did: the others lost their connection."""
    record = failed.record_in(plan)
    restarted = os.environ.get("SLURM_RESTART_COUNT", "0") != "0"
    if not restarted or record is None or record.status != "failed" or record.failure is None:
        return
    is_ours = record.scheduler is not None and record.scheduler.job_id == job_id()
    if is_ours and slurm_state.earlier_end(job_id()) == "NODE_FAIL":
        message = f"SLURM ended job {job_id()}: NODE_FAIL; {record.failure.message}"
        failure = dataclasses.replace(record.failure, type="NODE_FAIL", message=message)
        failed.leave_record(plan, failure, "interrupted")


class _Run:
    """has_ended: a requeue of the job is not to begin it again."""

    def __init__(
        self,
        plan: Plan,
        number: int,
        leads: bool,
        job_list: JobList,
        log: slurm_leaving.JobLog,
    ) -> None:
        self.plan, self.number, self.leads, self._log = plan, number, leads, log
        self.rules, self._files = job_list.rules, job_list.files
        self.has_ended = False
        self._began_s = time.monotonic()
        self._watch = died.Watch(plan)

    @property
    def has_record(self) -> bool:
        return self._watch.own_record() is not None

    def execute(self) -> int:
        signals = _leave_on_signals()
        if self.leads:
            rank_failure.take(self.plan.folder)
            print(f"{begun(self.number)}{self.plan.folder}", file=sys.stderr, flush=True)
        try:
            self._require_same_files()
            with terminal_progress(self.plan) as tell:  # into the job's log
                say = self._with_draft(tell) if self.leads else tell
                place = partial(ranks.from_slurm, self.number)
                outcome = ranks.execute_rank(self.plan, place, say, self._remarks())
        except PlanError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return self._refused(error)
        except BaseException:
            if not signals:
                self._name_the_first()
                raise
            return self._leave(signals[0])
        return 0 if outcome.record.status == "finished" else 1

    def _require_same_files(self) -> None:
        """What they held is part of the run's identity."""
        for path, now in slurm_code.file_digests(self.plan).items():
            if self._files.get(path, now) != now:
                raise PlanError(
                    f"{path} was changed after this run was submitted; the same command submits "
                    "it as it is now"
                )

    def _with_draft(self, tell: Callable[[Any], None]) -> Callable[[Any], None]:
        draft = slurm_draft.Drafter(self.plan, self._watch.started_at)

        def say(news: Any) -> None:
            tell(news)
            draft(news)

        return say

    def _refused(self, error: PlanError) -> int:
        if self.leads and self._watch.own_record() is None:
            failure = Failure(type="PlanError", message=str(error))
            failed.leave_record(self.plan, failure, draft=self._draft())
        return 1

    def _name_the_first(self) -> None:
        """Where another rank failed first, this one has only lost its connection."""
        failure = rank_failure.peek(self.plan.folder) if self.leads else None
        if failure is not None and failure.rank != 0 and self._watch.own_record() is not None:
            failed.leave_record(self.plan, failure, rank_failure.status(failure))

    def _leave(self, number: int) -> int:
        """The record is written; now there is time to ask SLURM why this run was to end."""
        if not self.leads:
            return 128 + number
        own = self._watch.own_record()
        if own is not None and own.status == "finished":
            return 0
        own_s = time.monotonic() - self._began_s
        leaving = slurm_leaving.find_reason(number, own_s, self.rules, self._log)
        print(leaving.failure.message, file=sys.stderr, flush=True)
        before = failed.record_in(self.plan)
        if own is not None or before is None or before.status != "finished":
            draft = self._draft() if own is None else None
            failed.leave_record(self.plan, leaving.failure, "interrupted", draft)
        rank_failure.take(self.plan.folder)
        self.has_ended = leaving.is_last
        leaving.act(self._log.folder)
        return LEAVES

    def _draft(self) -> failed.Draft:
        return failed.Draft(started_at=self._watch.started_at)

    def _remarks(self) -> list[str]:
        node = os.environ.get("SLURMD_NODENAME", "a node")
        devices = os.environ.get("CUDA_VISIBLE_DEVICES", "none")
        place = f"SLURM job {job_id()} on {node}, CUDA_VISIBLE_DEVICES {devices}"
        return [place] if shutil.which("scontrol") else [place, NO_SCONTROL]


def _leave_on_signals() -> list[int]:
    """Signals that arrive end the run, which then is written down; answers those that have.

    SIGUSR2 comes before the time limit, SIGUSR1 from sites that warn with it; SIGTERM with scancel,
    pre-emption and requeue alike; SIGTSTP before the job is stopped for another one, whose
    electricity would be in the window. What is being written down is not disturbed by a second
    signal, and a library that swallows the exit does not keep the run from ending: windows look at
    the stop flag."""
    numbers = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP)
    owner = os.getpid()
    arrived: list[int] = []

    def once(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a loader's worker, forked from here: the run ends it itself
            signal.signal(number, signal.SIG_DFL)
            return
        if number != signal.SIGTERM and os.environ.get("SLURM_PROCID", "0") != "0":
            return  # rank 0 leaves, which ends every rank
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        arrived.append(number)
        leaving = SystemExit(128 + number)
        stop_flag.ask(leaving)
        raise leaving

    for number in numbers:
        signal.signal(number, once)
    return arrived


def _end(status: int) -> NoReturn:
    """Leave what this process holds to the operating system: after an import of torch Python frees
    it for seconds, in which a job that is to end keeps its node, or is killed."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _end(main())
