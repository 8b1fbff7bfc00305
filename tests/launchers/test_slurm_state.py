"""What becomes of a job is found with and without accounting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from launchers import slurm_state
from launchers.slurm_state import JobState


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH whose controller has forgotten every job."""
    _program(tmp_path, "scontrol", "echo 'slurm_load_jobs error: Invalid job id' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_accounting_tells_of_a_job_that_the_controller_has_forgotten(cluster: Path) -> None:
    _program(cluster, "sacct", "echo '12_3|CANCELLED by 0|None|0:9|v1|'")
    state = slurm_state.look_up("12_3")
    assert state == JobState("CANCELLED", "None", "0:9", "v1")
    assert str(state) == "CANCELLED, killed by signal 9, on v1"
    assert state.has_ended


@pytest.mark.parametrize(
    "sacct", ["echo 'Slurm accounting storage is disabled' >&2; exit 1", "exit 0", None]
)
def test_without_accounting_the_job_is_unknown_which_ends_the_waiting(
    cluster: Path, sacct: str | None
) -> None:
    if sacct is not None:
        _program(cluster, "sacct", sacct)
    assert slurm_state.look_up("12_3") == JobState("UNKNOWN")


def test_the_controllers_word_goes_first(cluster: Path) -> None:
    line = "JobId=5 JobState=OUT_OF_MEMORY Reason=OutOfMemory ExitCode=0:125 BatchHost=r1"
    _program(cluster, "scontrol", f"echo '{line}'")
    assert str(slurm_state.look_up("5")) == (
        "OUT_OF_MEMORY, reason OutOfMemory, killed by signal 125, on r1"
    )


def test_a_controller_that_does_not_answer_has_forgotten_nothing(cluster: Path) -> None:
    said = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
    _program(cluster, "scontrol", f"echo '{said}' >&2; exit 1")
    assert not slurm_state.look_up("12_3").has_ended


def test_jobs_are_those_of_this_user_whoever_logged_in(
    cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    line = "5|N/A|RUNNING|None|v1|0:01|N/A|gpu|/runs/watt-1.sh"
    _program(cluster, "squeue", f"case \"$*\" in *'-u {os.getuid()} '*) echo '{line}';; esac")
    assert slurm_state.queued()["5"].command == "/runs/watt-1.sh"


@pytest.mark.parametrize(
    ("joules", "kwh"), [("7200000", 2.0), ("0", None), ("", None), ("18446744073709551614", None)]
)
def test_energy_that_the_site_accounts_for_is_in_kwh_and_else_absent(
    cluster: Path, joules: str, kwh: float | None
) -> None:
    _program(cluster, "sacct", f"echo '12_3|COMPLETED|None|0:0|v1|{joules}'")
    assert slurm_state.accounted(["12_3"])["12_3"].energy_kwh == kwh


def test_a_job_of_another_user_who_submits_in_the_same_folder_is_known(cluster: Path) -> None:
    own, others = "5|N/A|RUNNING|None|v1|0:01|N/A|gpu|/a", "7|0|PENDING|Priority||0:00|N/A|gpu|/b"
    cases = f"*-u*) echo '{own}';; *'-j 7,9'*) echo '{others}';;"
    _program(cluster, "squeue", f'case "$*" in {cases} esac')
    assert slurm_state.queued().keys() == {"5"}
    assert slurm_state.queued(["5", "7_0", "9"]).keys() == {"5", "7_0"}
