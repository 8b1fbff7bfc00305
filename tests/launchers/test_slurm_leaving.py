"""Why a run is to end, where SLURM cannot be asked: in a container, or with no controller."""

from __future__ import annotations

import signal
import time
from datetime import datetime
from pathlib import Path

import pytest

from launchers import slurm_leaving, slurm_state
from launchers.slurm_leaving import JobLog, Leaving, Rules

RULES = Rules(requeue=True, max_requeues=3, signal_delay_s=30, time_min=2)


@pytest.fixture(params=[None, "exit 1"])
def scontrol(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str | None:
    """None: there is none; else the script that answers nothing. The job began 95 s ago."""
    script: str | None = request.param
    if script is not None:
        (tmp_path / "scontrol").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_START_TIME", str(int(time.time()) - 95))
    monkeypatch.setattr(slurm_leaving, "WORD_WITHIN_S", 0.0)
    return script


def _reason(tmp_path: Path, number: int, own_s: float) -> Leaving:
    return slurm_leaving.find_reason(number, own_s, RULES, JobLog(tmp_path / "7.log"))


def test_the_time_limit_is_known_from_the_environment(scontrol: str | None, tmp_path: Path) -> None:
    leaving = _reason(tmp_path, signal.SIGUSR2, own_s=94.0)
    assert (leaving.failure.type, leaving.is_last, leaving.requeues) == ("TIMEOUT", True, False)
    assert "met its time limit of 2 min" in leaving.failure.message


def test_a_warning_puts_the_job_back_and_says_what_is_not_known(
    scontrol: str | None, tmp_path: Path
) -> None:
    leaving = _reason(tmp_path, signal.SIGUSR1, own_s=94.0)
    assert (leaving.failure.type, leaving.requeues) == ("Warned", True)
    why = "scontrol is not on PATH" if scontrol is None else "SLURM does not answer"
    assert why in leaving.failure.message


def test_a_run_that_is_asked_to_end_stays_for_slurm_to_end_it(
    scontrol: str | None, tmp_path: Path
) -> None:
    leaving = _reason(tmp_path, signal.SIGTERM, own_s=94.0)
    assert (leaving.failure.type, leaving.stays) == ("EndedBySlurm", True)


def test_a_job_that_is_stopped_for_another_one_starts_again(
    scontrol: str | None, tmp_path: Path
) -> None:
    """The other job's electricity would be in the window."""
    leaving = _reason(tmp_path, signal.SIGTSTP, own_s=94.0)
    assert (leaving.failure.type, leaving.requeues) == ("Suspended", True)


def test_the_jobs_script_is_told_to_put_the_job_back(scontrol: str | None, tmp_path: Path) -> None:
    slurm_leaving.requeue(tmp_path)
    assert (tmp_path / "7.requeue").exists()


@pytest.mark.parametrize(("left_s", "kind"), [(80, "TIMEOUT"), (100, "Warned")])
def test_an_end_that_was_moved_counts_and_not_the_limit_in_whole_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_s: int, kind: str
) -> None:
    """60 s after SLURM's warning of 30 s, the job is still warned of its time limit."""
    end = datetime.fromtimestamp(time.time() + left_s).isoformat(timespec="seconds")
    shown = f"JobState=RUNNING RunTime=00:10:00 TimeLimit=00:12:00 EndTime={end}"
    monkeypatch.setattr(slurm_state, "show", lambda _: dict(w.split("=") for w in shown.split()))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert _reason(tmp_path, signal.SIGUSR2, own_s=590.0).failure.type == kind
