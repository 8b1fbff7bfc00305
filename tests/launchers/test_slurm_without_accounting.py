"""A site without slurmdbd: what became of a job is known all the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from launchers import slurm_queue, slurm_state, slurm_wait
from launchers.slurm_state import JobState
from tests.launchers.real_slurm import Cluster
from tests.launchers.slurm_sweeps import ENDLESS, SETTINGS, plan, until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]


def test_a_cancelled_run_and_a_finished_one(
    slurm_without_accounting: Cluster, tmp_path: Path
) -> None:
    endless = plan(tmp_path, *ENDLESS)
    short = plan(tmp_path)
    submission = slurm_queue.submit([endless, short], SETTINGS)
    ticket = submission.tickets[endless.run_name]
    until(lambda: ticket.log.exists() and ": train\n" in ticket.log.read_text())
    subprocess.run(["scancel", ticket.job_id], check=True)
    plans = {one.run_name: one for one in (endless, short)}
    done = slurm_wait.wait_for(plans, submission.tickets, SETTINGS)

    cancelled, finished = (done[one.run_name].record for one in (endless, short))
    assert (cancelled.status, finished.status) == ("interrupted", "finished")
    assert cancelled.failure is not None and cancelled.failure.type == "CANCELLED"
    assert cancelled.scheduler is not None and cancelled.scheduler.state == "CANCELLED"
    assert finished.scheduler is not None and finished.scheduler.energy_kwh is None
    assert slurm_state.accounted([ticket.job_id]) == {}
    assert slurm_state.look_up("99999") == JobState("UNKNOWN")
