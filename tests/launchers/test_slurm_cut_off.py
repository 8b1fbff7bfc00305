"""Runs that SLURM, or somebody, cuts off in the middle: no row is lost and none is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from launchers.slurm_queue import Ticket
from metering.record import Record
from metering.record_file import read
from tests.launchers.slurm_sweeps import QUICK, start, tickets, until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(500)]
NUM_STEPS = 600
SWEEP = (
    *QUICK, "phases=train", f"meter.num_steps={NUM_STEPS}", "meter.block_s=0.3",
    "data.num_workers=1",  # SLURM signals the loader's worker as well
)  # fmt: skip


def _cancel(ticket: Ticket) -> None:
    subprocess.run(["scancel", ticket.job_id], check=True)


def _kill(ticket: Ticket) -> None:
    job, index = ticket.job_id.split("_")
    mine = {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": index, "SLURM_LOCALID": "0"}
    for process in psutil.process_iter(["cmdline", "environ"]):
        command, found = process.info["cmdline"] or [], process.info["environ"] or {}
        runs_it = "submitit.core._submit" in command and "srun" not in command[0]
        if runs_it and mine.items() <= found.items():
            os.kill(process.pid, signal.SIGKILL)


def _warn(ticket: Ticket) -> None:
    subprocess.run(["scancel", "--signal=USR1", ticket.job_id], check=True)


def _requeue(ticket: Ticket) -> None:
    subprocess.run(["scontrol", "requeue", ticket.job_id], check=True)


@pytest.fixture(scope="module")
def cut_off(slurm: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], str]:
    """Folders of four runs and of a fifth that has two ranks, each cut off in its own way, and
    what the submitter of the four printed."""
    four, pair = tmp_path_factory.mktemp("four"), tmp_path_factory.mktemp("pair")
    sweeps = (
        start(four, *SWEEP, "data.fraction=0.6,0.7,0.8,0.9"),
        start(pair, *SWEEP, "hardware.devices=2"),
    )
    until(lambda: len(tickets(four)) == 4 and len(tickets(pair)) == 1)
    all_tickets = [*tickets(four), *tickets(pair)]
    ways = (_cancel, _kill, _warn, _requeue, _requeue)
    pending = dict(zip(all_tickets, ways, strict=True))

    def cut_those_that_measure() -> bool:
        for ticket in tuple(pending):
            jobs = Path(ticket.folder).parents[3] / ".slurm/jobs"
            log = jobs / f"{ticket.job_id}_0_log.err"
            if log.exists() and ": train\n" in log.read_text():
                pending.pop(ticket)(ticket)
        return not pending

    try:
        until(cut_those_that_measure)
        outputs = [sweep.communicate(timeout=250)[0] for sweep in sweeps]
    finally:
        for sweep in sweeps:
            sweep.kill()
    assert [sweep.returncode for sweep in sweeps] == [1, 0], outputs
    return [Path(ticket.folder) for ticket in all_tickets], outputs[0]


def test_a_cancelled_run_says_so(cut_off: tuple[list[Path], str]) -> None:
    record = read(cut_off[0][0] / "record.json")
    assert record.status == "failed"
    assert record.failure is not None and "CANCELLED" in record.failure.message


def test_a_killed_process_leaves_a_failed_record_with_slurms_reason(
    cut_off: tuple[list[Path], str],
) -> None:
    record = read(cut_off[0][1] / "record.json")
    assert record.status == "failed"
    assert record.failure is not None
    assert "FAILED" in record.failure.message
    assert "137" in record.failure.message or "signal 9" in record.failure.message


@pytest.mark.parametrize("index", [2, 3, 4], ids=["SIGUSR1", "requeue", "two ranks"])
def test_a_requeued_run_is_measured_once_and_whole_and_keeps_what_the_first_attempt_cost(
    cut_off: tuple[list[Path], str], index: int
) -> None:
    folder = cut_off[0][index]
    record: Record = read(folder / "record.json")
    (first,) = map(read, (folder / "attempts").glob("*.json"))

    assert (first.status, record.status) == ("interrupted", "finished"), first.failure
    assert sum(block.num_steps for block in record.phases["train"].readings) == NUM_STEPS
    (lost,) = [each for each in record.overheads if each.name.startswith("interrupted attempt")]
    spent = sum(each.energy.total_kwh or 0 for each in first.overheads)
    assert lost.energy.total_kwh is not None and lost.energy.total_kwh >= spent > 0


def test_all_failures_are_listed(cut_off: tuple[list[Path], str]) -> None:
    _, output = cut_off
    assert "4 runs: 2 finished (0 of them earlier), 2 failed" in output
    assert output.count("  failed: test_resnet: SLURM ended job") == 2
