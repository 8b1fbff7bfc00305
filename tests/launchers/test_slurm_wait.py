"""An ended job's record is found when it appears late, and never mixed up with an older one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from launchers import rank_failure, slurm_queue, slurm_wait
from launchers.slurm_queue import Ticket
from launchers.slurm_resources import SlurmSettings
from launchers.slurm_state import JobState
from metering.record_file import write
from tasks.plan import Plan
from tasks.running.attempts import ATTEMPTS
from tasks.running.execute import empty_record

# a node's clock may be years off
LONG_AGO = "2001-01-01T00:00:00+00:00"
NODE_FAIL = JobState("NODE_FAIL", node="v1")


def _ticket(plan: Plan) -> Ticket:
    return Ticket(plan.identity, "7_0", str(plan.folder), slurm_queue.digest(plan))


def _log(plan: Plan, text: str) -> Path:
    path = slurm_queue.slurm_folder(plan.output_dir) / "jobs" / "7_0_0_log.err"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_a_record_that_a_shared_folder_shows_late_is_waited_for(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    ticket, record = _ticket(plan), empty_record(plan, "finished", LONG_AGO)
    late = threading.Timer(0.7, write, [record, plan.folder])
    late.start()
    outcome = slurm_wait.settle(plan, ticket, JobState("COMPLETED"), SlurmSettings(visibility_s=20))
    late.join()
    assert (outcome.record.status, outcome.record.started_at) == ("finished", LONG_AGO)


def test_the_record_of_before_the_submission_is_not_taken_for_this_jobs(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    write(empty_record(plan, "finished", LONG_AGO), plan.folder)
    outcome = slurm_wait.settle(plan, _ticket(plan), NODE_FAIL, SlurmSettings())
    assert outcome.record.failure is not None
    assert "SLURM ended job 7_0: NODE_FAIL, on v1" in outcome.record.failure.message
    assert len(list((plan.folder / ATTEMPTS).glob("*.json"))) == 1  # the old one is kept


def test_the_end_of_the_jobs_log_is_in_the_record(compose: Callable[..., Plan]) -> None:
    plan = compose()
    log = _log(plan, "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0")
    outcome = slurm_wait.settle(plan, _ticket(plan), JobState("OUT_OF_MEMORY"), SlurmSettings())
    assert outcome.record.failure is not None
    assert "oom_kill" in outcome.record.failure.traceback
    assert str(log) in outcome.record.failure.message


def test_a_ranks_own_words_and_slurms_reason_are_both_told(compose: Callable[..., Plan]) -> None:
    plan = compose()
    rank_failure.leave(plan.folder, 3, RuntimeError("connection reset by peer"), "Traceback of 3")
    outcome = slurm_wait.settle(plan, _ticket(plan), NODE_FAIL, SlurmSettings())
    failure = outcome.record.failure
    assert failure is not None
    assert (failure.rank, failure.traceback) == (3, "Traceback of 3")
    assert "connection reset by peer" in failure.message and "NODE_FAIL" in failure.message
