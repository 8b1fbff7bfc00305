"""What a job that starts again makes of the attempt before."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import slurm_job
from launchers.slurm_leaving import Rules
from metering.record import Failure
from metering.record_file import read, write
from metering.scheduler import Scheduler
from tasks.plan import Plan
from tasks.running.execute import empty_record

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP)
LONG_AGO = "2001-01-01T00:00:00+00:00"


def test_a_checkpoint_that_was_replaced_after_submission_is_refused(
    compose: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its digest names the run."""
    checkpoint, plans_file = tmp_path / "best.pt", tmp_path / "watt-1.plans"
    checkpoint.write_bytes(b"old")
    plan = compose(f"checkpoint={checkpoint}")
    slurm_job.write_list(plans_file, [[plan]], Rules(True, 3, 90, 60))
    checkpoint.write_bytes(b"new")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr(sys, "argv", ["slurm_job", str(plans_file), "0"])
    handlers = [signal.getsignal(number) for number in SIGNALS]
    try:
        assert slurm_job.main() == 1
    finally:
        for number, handler in zip(SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
    assert (
        f"error: {checkpoint} was changed after this run was submitted" in capsys.readouterr().err
    )
    record = read(plan.folder / "record.json")
    assert record.failure is not None and record.failure.type == "PlanError"


@pytest.mark.parametrize(
    ("earlier", "status", "kind"),
    [("NODE_FAIL", "interrupted", "NODE_FAIL"), ("REQUEUED", "failed", "RuntimeError")],
)
def test_an_attempt_that_lost_its_connection_to_a_node_that_failed_did_not_fail_itself(
    compose: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    earlier: str,
    status: str,
    kind: str,
) -> None:
    (tmp_path / "sacct").write_text(f"#!/bin/sh\necho {earlier}\necho RUNNING\n")
    (tmp_path / "sacct").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    plan = compose()
    lost = Failure("RuntimeError", "connection reset by peer", "Traceback")
    record = empty_record(plan, "failed", LONG_AGO, lost)
    write(dataclasses.replace(record, scheduler=Scheduler("7")), plan.folder)

    slurm_job.correct_earlier(plan)

    corrected = read(plan.folder / "record.json")
    assert corrected.failure is not None
    assert (corrected.status, corrected.failure.type) == (status, kind)
    assert "connection reset by peer" in corrected.failure.message
