"""Runs that SLURM, or somebody, cuts off in the middle: each ends in the record that says so, no
row is lost, none is doubled, and what each attempt cost is counted once."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from launchers import slurm_queue, slurm_state, slurm_wait
from launchers.slurm_queue import Ticket
from metering.record import Record
from metering.record_file import read
from tasks.plan import Plan
from tests.launchers.real_slurm import Cluster
from tests.launchers.slurm_sweeps import (
    ENDLESS,
    LONG,
    NUM_STEPS,
    SETTINGS,
    plan,
    until,
)

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(500)]
WARNED_S = 30
CUT_SETTINGS = replace(SETTINGS, signal_delay_s=WARNED_S)
AGAIN = "cancelled, then submitted again"
WORKER = "data.num_workers=1"  # SLURM signals the loader's worker as well


def _cancel(ticket: Ticket) -> None:
    _call("scancel", ticket.job_id)


def _kill(ticket: Ticket) -> None:
    for process in psutil.process_iter(["cmdline", "environ"]):
        command, environment = process.info["cmdline"] or [], process.info["environ"] or {}
        runs_it = "launchers.slurm_job" in command and "srun" not in command[0]
        is_here = environment.get("SLURM_CONF") == os.environ["SLURM_CONF"]  # not another cluster's
        if runs_it and is_here and environment.get("SLURM_JOB_ID") == _raw_id(ticket):
            os.kill(process.pid, signal.SIGKILL)


def _raw_id(ticket: Ticket) -> str:
    return slurm_state.show(ticket.job_id)["JobId"]


def _warn(ticket: Ticket) -> None:
    _call("scancel", "--signal=USR1", ticket.job_id)


def _requeue(ticket: Ticket) -> None:
    _call("scontrol", "requeue", ticket.job_id)


def _preempt(ticket: Ticket) -> None:
    node = slurm_state.show(ticket.job_id)["NodeList"]
    _call("sbatch", "-p", "high", "-w", node, "-o", "/dev/null", "--wrap", "sleep 1")


def _suspend(ticket: Ticket) -> None:
    """As where pre-emption stops jobs; a job that has put itself back is not stopped any more."""
    _call("scontrol", "suspend", ticket.job_id)
    until(lambda: _state(ticket) == "SUSPENDED", 10)
    _call("scontrol", "resume", ticket.job_id)


def _state(ticket: Ticket) -> str:
    return slurm_state.show(ticket.job_id)["JobState"]


def _shorten(ticket: Ticket) -> None:
    """Its time limit comes soon. SLURM looks at limits every 30 s: it warns, then ends the job."""
    end = (datetime.now() + timedelta(seconds=WARNED_S + 5)).isoformat(timespec="seconds")
    _call("scontrol", "update", f"JobId={ticket.job_id}", f"EndTime={end}")


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


KINDS: dict[str, tuple[Callable[[Ticket], None], tuple[str, ...]]] = {
    "cancelled": (_cancel, LONG),
    "killed": (_kill, ENDLESS),
    "warned": (_warn, LONG),
    "suspended": (_suspend, LONG),
    "requeued": (_requeue, (*LONG, "hardware.devices=2")),
    "time limit": (_shorten, ENDLESS),
    "low_requeue": (_preempt, LONG),
    "low_requeue_grace": (_preempt, LONG),
    "low_cancel": (_preempt, ENDLESS),
    "low_cancel_grace": (_preempt, ENDLESS),
}


@dataclass(frozen=True)
class Cut:
    """left: the record that the job itself left; settled: once somebody has waited for it;
    attempts: those before, by then."""

    left: Record | None
    settled: Record
    attempts: list[Record]


@pytest.fixture(scope="module")
def cut_off(
    slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Cut]]:
    """A run of each kind, cut off while it measured, and AGAIN."""
    with slurm_cluster.in_use():
        yield _cut_off_each(tmp_path_factory.mktemp("cut"))


def _cut_off_each(folder: Path) -> dict[str, Cut]:
    plans = {}
    for index, (kind, (_, overrides)) in enumerate(KINDS.items()):
        partition = kind if kind.startswith("low") else "main"
        own = (f"data.fraction={0.99 - index / 100}", f"hardware.slurm.partition={partition}")
        plans[kind] = plan(folder, *overrides, WORKER, *own)
    submission = slurm_queue.submit(list(plans.values()), CUT_SETTINGS)
    assert not submission.refused
    tickets = {kind: submission.tickets[one.run_name] for kind, one in plans.items()}
    pending, ends = dict(tickets), dict[str, Cut]()

    def cut_those_that_measure() -> bool:
        for kind, ticket in tuple(pending.items()):
            if ticket.log.exists() and ": train\n" in ticket.log.read_text():
                KINDS[kind][0](pending.pop(kind))
        if AGAIN not in plans and "cancelled" not in pending and have_ended(tickets["cancelled"]):
            cancelled = plans[AGAIN] = plans.pop("cancelled")
            ends["cancelled"] = _settled(cancelled, tickets.pop("cancelled"))
            again = slurm_queue.submit([cancelled], CUT_SETTINGS)
            tickets[AGAIN] = again.tickets[cancelled.run_name]
        return not pending and AGAIN in plans

    def have_ended(*some: Ticket) -> bool:
        known = slurm_state.queued()
        return not any(slurm_queue.is_live(ticket, known) for ticket in some)

    until(cut_those_that_measure, 250)
    until(lambda: have_ended(*tickets.values()), 250)
    return ends | {kind: _settled(one, tickets[kind]) for kind, one in plans.items()}


def _settled(one: Plan, ticket: Ticket) -> Cut:
    path = one.folder / "record.json"
    left = read(path) if path.exists() else None
    name = one.run_name
    settled = slurm_wait.wait_for({name: one}, {name: ticket}, CUT_SETTINGS)[name].record
    attempts = [read(each) for each in sorted((one.folder / "attempts").glob("*.json"))]
    return Cut(left, settled, attempts)


def _spent_kwh(record: Record) -> float:
    energies = [each.energy for each in record.overheads]
    energies += [each.energy for phase in record.phases.values() for each in phase.readings]
    return sum(energy.total_kwh or 0.0 for energy in energies)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("cancelled", "CANCELLED"),
        ("time limit", " min (hardware.slurm.time_min); the run had all of it"),
        ("low_cancel", "PREEMPTED"),
        ("low_cancel_grace", "SLURM pre-empted job"),
    ],
)
def test_a_run_that_was_ended_says_why_and_what_it_cost_whether_or_not_somebody_waits(
    cut_off: dict[str, Cut], kind: str, word: str
) -> None:
    cut = cut_off[kind]
    assert cut.left is not None and cut.left.failure is not None
    assert cut.settled.failure is not None
    assert (cut.left.status, cut.settled.status) == ("interrupted", "interrupted")
    assert word in cut.settled.failure.message
    assert cut.settled.phases == cut.left.phases
    assert _spent_kwh(cut.left) > 0
    assert cut.settled.overheads == cut.left.overheads
    assert cut.settled.scheduler is not None and cut.settled.scheduler.state is not None
    assert not cut.attempts


def test_the_jobs_own_record_has_slurms_reason_before_anybody_waits(
    cut_off: dict[str, Cut],
) -> None:
    left = {kind: cut.left for kind, cut in cut_off.items() if cut.left is not None}
    reasons = {kind: record.failure.type for kind, record in left.items() if record.failure}
    assert reasons == {
        "cancelled": "CANCELLED",
        "time limit": "TIMEOUT",
        "low_cancel": "PREEMPTED",
        "low_cancel_grace": "PREEMPTED",
    }


def test_a_killed_process_leaves_a_failed_record_with_slurms_reason(
    cut_off: dict[str, Cut],
) -> None:
    record = cut_off["killed"].settled
    assert record.status == "failed"
    assert record.failure is not None
    assert "FAILED" in record.failure.message
    assert "137" in record.failure.message or "signal 9" in record.failure.message


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("warned", "Warned"),
        ("suspended", "Suspended"),
        ("requeued", "Requeued"),
        ("low_requeue", "PREEMPTED"),
        ("low_requeue_grace", "PREEMPTED"),
    ],
)
def test_a_requeued_run_is_measured_once_and_whole_and_keeps_what_the_first_attempt_cost(
    cut_off: dict[str, Cut], kind: str, reason: str
) -> None:
    record = cut_off[kind].settled
    (first,) = cut_off[kind].attempts
    assert (first.status, record.status) == ("interrupted", "finished"), first.failure
    assert first.failure is not None and first.failure.type == reason
    assert sum(block.num_steps for block in record.phases["train"].readings) == NUM_STEPS
    (lost,) = [each for each in record.overheads if each.name.startswith("interrupted attempt")]
    assert lost.energy.total_kwh == pytest.approx(_spent_kwh(first))
    durations = [each.duration_s for each in first.overheads]
    durations += [each.duration_s for each in first.phases["train"].readings]
    assert lost.duration_s == pytest.approx(sum(durations))
    assert record.scheduler is not None and record.scheduler.num_restarts >= 1


def test_what_the_cancelled_attempt_cost_is_in_the_record_of_the_next(
    cut_off: dict[str, Cut],
) -> None:
    record = cut_off[AGAIN].settled
    (lost,) = [each for each in record.overheads if each.name.startswith("interrupted attempt")]
    assert record.status == "finished"
    assert lost.energy.total_kwh == pytest.approx(_spent_kwh(cut_off["cancelled"].settled))
