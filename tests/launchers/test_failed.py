"""The record of a run that could not write its own."""

from __future__ import annotations

from collections.abc import Callable

from launchers import failed
from metering.record import Failure
from metering.record_file import read, write
from tasks.plan import Plan
from tasks.running.attempts import ATTEMPTS
from tasks.running.execute import empty_record

KILLED = Failure(type="JobFailed", message="SLURM ended the job: NODE_FAIL")


def test_a_job_that_left_nothing_gets_a_failed_record(compose: Callable[..., Plan]) -> None:
    plan = compose("model=resnet18")
    failed.leave_record(plan, KILLED)
    record = read(plan.folder / "record.json")
    assert (record.status, record.failure, record.model) == ("failed", KILLED, "resnet18")


def test_a_finished_record_is_kept_aside_and_not_written_over(compose: Callable[..., Plan]) -> None:
    plan = compose("model=resnet18")
    finished = empty_record(plan, "finished", "2026-01-01T00:00:00+00:00")
    write(finished, plan.folder)
    written = (plan.folder / "record.json").read_bytes()
    failed.leave_record(plan, KILLED)
    (kept,) = (plan.folder / ATTEMPTS).glob("*.json")
    assert kept.read_bytes() == written
