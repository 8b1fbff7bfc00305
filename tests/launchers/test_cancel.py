"""`watt cancel` where a job ends by itself meanwhile, and where there is nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest

from launchers import cancel, slurm_queue, status
from launchers.slurm_queue import Ticket

ENDED = "scancel: error: Kill job error on job id 5: Job/step already completing or completed"


@pytest.mark.parametrize(("said", "is_told"), [(ENDED, False), ("scancel: timed out", True)])
def test_a_job_that_ended_meanwhile_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, is_told: bool
) -> None:
    runs = tmp_path / "runs"
    tickets = slurm_queue.slurm_folder(runs) / "tickets"
    tickets.mkdir(parents=True)
    ticket = Ticket("one", "5", str(runs / "a/b/c/one"), "")
    (tickets / "one.json").write_text(json.dumps(dataclasses.asdict(ticket)))
    scripts = {
        "squeue": "echo '5|N/A|RUNNING|None|v1|0:01|N/A|gpu|/job.sh'",
        "scancel": f"echo '{said}' >&2; exit 1",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(sys, "argv", ["watt cancel", str(runs)])
    assert cancel.main() == (2 if is_told else 0)


def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scancel").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for main in (cancel.main, status.main):
        monkeypatch.setattr(sys, "argv", ["watt", str(tmp_path / "nowhere")])
        assert main() == 2
        assert f"error: there is no folder {tmp_path}/nowhere" in capsys.readouterr().err


def test_jobs_of_other_users_in_the_folder_go_on_and_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    tickets = slurm_queue.slurm_folder(runs) / "tickets"
    tickets.mkdir(parents=True)
    for job_id in ("5", "6"):
        ticket = Ticket(job_id, job_id, str(runs / f"a/b/c/{job_id}"), "")
        (tickets / f"{job_id}.json").write_text(json.dumps(dataclasses.asdict(ticket)))
    row = "N/A|RUNNING|None|v1|0:01|N/A|gpu|/job.sh"
    cases = f"*-u*) echo '5|{row}';; *'-j 6'*) echo '6|{row}';;"
    scripts = {"squeue": f'case "$*" in {cases} esac', "scancel": "echo $* > $0.ids"}
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(sys, "argv", ["watt cancel", str(runs)])
    assert cancel.main() == 0
    assert (tmp_path / "scancel.ids").read_text() == "5\n"
    assert capsys.readouterr().out == f"{runs}: 1 job cancelled\n  1 of other users goes on\n"
