"""A node that dies, a controller that restarts, pre-emption by QOS, jobs that see no SLURM: on a
site whose QOS pre-empt and which has no job arrays."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from launchers import slurm_queue, slurm_state, slurm_wait
from launchers.slurm_queue import Ticket
from metering.record import Record
from metering.record_file import read, write
from tasks.running.execute import empty_record
from tests.launchers.real_slurm import CONTROLLER, Cluster, cluster
from tests.launchers.slurm_site import Site
from tests.launchers.slurm_sweeps import (
    ENDLESS,
    LONG,
    NUM_STEPS,
    SETTINGS,
    plan,
    until,
)

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(500)]
LONG_AGO = "2001-01-01T00:00:00+00:00"
IN_CONTAINER = "warned in a container"
USERS_OWN = {"SBATCH_EXPORT": "NONE", "SBATCH_PARTITION": "high", "SLURM_MEM_PER_CPU": "100"}
QOS = {
    "low_requeue_grace": "PreemptMode=requeue GraceTime=30",
    "low_cancel_grace": "PreemptMode=cancel GraceTime=30",
    "high": "Preempt=low_requeue_grace,low_cancel_grace",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    chosen = Site(preempt="qos", max_array_size=0)
    with cluster(tmp_path_factory.mktemp("qos-slurm"), chosen) as made, made.in_use():
        for name, words in QOS.items():
            _call(made, "sacctmgr", "-i", "add", "qos", name, *words.split())
        allowed = f"qos=normal,{','.join(QOS)}"
        _call(made, "sacctmgr", "-i", "modify", "user", "root", "set", allowed)
        yield made


def _call(site: Cluster, *command: str) -> None:
    done = site.call(*command)
    assert done.returncode == 0, done.stderr + done.stdout


def _node(ticket: Ticket) -> str:
    return slurm_state.show(ticket.job_id)["NodeList"]


def _kill_node(site: Cluster, ticket: Ticket) -> None:
    """The site's health check tells of it before SLURM would see it, after SlurmdTimeout."""
    node = _node(ticket)
    site.kill(node)
    _call(site, "scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=died")


def _preempt(site: Cluster, ticket: Ticket) -> None:
    job = ("--wrap", "sleep 1", "-q", "high", "-w", _node(ticket), "--exclusive")
    _call(site, "sbatch", "-o", "/dev/null", *job)


def _warn(site: Cluster, ticket: Ticket) -> None:
    _call(site, "scancel", "--signal=USR1", ticket.job_id)


Ending = Callable[[Cluster, Ticket], None]
KINDS: dict[str, tuple[Ending, tuple[str, ...]]] = {
    "node died": (_kill_node, LONG),
    "node died, no requeue": (_kill_node, (*ENDLESS, "hardware.slurm.requeue=false")),
    IN_CONTAINER: (_warn, (*LONG, "hardware.slurm.partition=main")),
    "low_requeue_grace": (_preempt, (*LONG, "hardware.slurm.qos=low_requeue_grace")),
    "low_cancel_grace": (_preempt, (*ENDLESS, "hardware.slurm.qos=low_cancel_grace")),
}


@dataclass(frozen=True)
class End:
    record: Record
    attempts: list[Record]


@pytest.fixture(scope="module")
def ends(site: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, End]:
    """What came of a run of each kind that was ended while it measured."""
    folder = tmp_path_factory.mktemp("ends")
    plans = {
        kind: plan(folder, *overrides, f"data.fraction={0.99 - index / 100}")
        for index, (kind, (_, overrides)) in enumerate(KINDS.items())
    }
    container = replace(SETTINGS, python=f"env PATH=/var/empty {sys.executable}")
    tickets = {}
    for kind, one in plans.items():
        with pytest.MonkeyPatch.context() as patch:
            if kind == IN_CONTAINER:
                for name, value in USERS_OWN.items():
                    patch.setenv(name, value)
            settings = container if kind == IN_CONTAINER else SETTINGS
            tickets |= slurm_queue.submit([one], settings).tickets
    pending = {kind: tickets[one.run_name] for kind, one in plans.items()}

    def end_those_that_measure() -> bool:
        for kind in tuple(pending):
            if (plans[kind].folder / ".draft.json").exists():
                KINDS[kind][0](site, pending.pop(kind))
        return not pending

    until(end_those_that_measure, 250)
    by_name = {one.run_name: one for one in plans.values()}
    outcomes = slurm_wait.wait_for(by_name, tickets, SETTINGS)
    return {
        kind: End(
            outcomes[one.run_name].record,
            [read(path) for path in sorted((one.folder / "attempts").glob("*.json"))],
        )
        for kind, one in plans.items()
    }


def _spent_kwh(record: Record) -> float:
    energies = [each.energy for each in record.overheads]
    energies += [each.energy for phase in record.phases.values() for each in phase.readings]
    return sum(energy.total_kwh or 0.0 for energy in energies)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("node died", "NODE_FAIL"),
        ("low_requeue_grace", "PREEMPTED"),
        (IN_CONTAINER, "Warned"),
    ],
)
def test_a_run_that_starts_again_is_measured_whole_and_keeps_what_the_lost_attempt_cost(
    ends: dict[str, End], kind: str, reason: str
) -> None:
    record = ends[kind].record
    (first,) = ends[kind].attempts
    assert record.status == "finished", record.failure
    assert first.failure is not None and first.failure.type == reason
    assert sum(block.num_steps for block in record.phases["train"].readings) == NUM_STEPS
    (lost,) = [each for each in record.overheads if each.name.startswith("interrupted attempt")]
    assert lost.energy.total_kwh == pytest.approx(_spent_kwh(first)) and _spent_kwh(first) > 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("node died, no requeue", "NODE_FAIL"), ("low_cancel_grace", "PREEMPTED")],
)
def test_a_run_that_does_not_start_again_says_why_and_keeps_its_cost(
    ends: dict[str, End], kind: str, reason: str
) -> None:
    record = ends[kind].record
    assert record.failure is not None and record.failure.type == reason
    assert record.status == "interrupted" and _spent_kwh(record) > 0
    assert not ends[kind].attempts


def test_a_controller_that_restarts_is_waited_for_and_no_run_is_lost_or_doubled(
    site: Cluster, tmp_path: Path
) -> None:
    """It is down while the runs are submitted, and again while they are waited for. The site has no
    job arrays: each run is a job of its own. The payload does nothing: its runs were measured
    before."""
    first = plan(tmp_path)
    plans = [
        replace(first, data=replace(first.data, fraction=0.9 - number / 1000))
        for number in range(4)
    ]
    for one in plans:
        write(empty_record(one, "finished", LONG_AGO), one.folder)
    payload = tmp_path / "payload"
    payload.write_text(f"#!/bin/sh\nsleep 2\necho $SLURM_JOB_ID >> {tmp_path}/ran\n")
    payload.chmod(0o755)
    settings = replace(SETTINGS, python=str(payload))

    with _down_for(site, 1.0):
        submission = slurm_queue.submit(plans, settings)
    job_ids = {ticket.job_id for ticket in submission.tickets.values()}
    assert (submission.num_new, submission.refused, len(job_ids)) == (4, {}, 4)
    assert not any("_" in job_id for job_id in job_ids)
    with _down_for(site, 1.0):
        outcomes = slurm_wait.wait_for(
            {one.run_name: one for one in plans}, submission.tickets, settings
        )

    assert [outcome.record.status for outcome in outcomes.values()] == ["finished"] * 4
    assert sorted((tmp_path / "ran").read_text().split()) == sorted(job_ids)
    assert not list((tmp_path / "runs").glob("*/*/*/*/attempts/*"))


@contextmanager
def _down_for(site: Cluster, duration_s: float) -> Iterator[None]:
    site.stop(CONTROLLER)
    timer = threading.Timer(duration_s, site.start, [CONTROLLER])
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_a_run_in_a_container_without_slurms_commands_is_measured_and_says_so(
    ends: dict[str, End],
) -> None:
    """It was warned, and the job's script, outside, put it back into the queue."""
    record, (first,) = ends[IN_CONTAINER].record, ends[IN_CONTAINER].attempts
    assert any("scontrol is not on PATH in the job" in note for note in record.notes)
    assert record.scheduler is not None and record.scheduler.num_restarts == 1
    assert first.failure is not None
    assert "scontrol is not on PATH to tell why" in first.failure.message
