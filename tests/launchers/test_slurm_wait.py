"""An ended job's record is found when it appears late, and never mixed up with an older one."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import rank_failure, slurm_draft, slurm_queue, slurm_settle, slurm_wait
from launchers.settings import SlurmSettings
from launchers.slurm_queue import Ticket
from launchers.slurm_state import JobState, Queued
from metering.progress import Progress
from metering.record import Energy, Failure, Overhead, PhaseRecord, Reading
from metering.record_file import write
from metering.scheduler import Scheduler
from tasks.plan import Plan
from tasks.running.attempts import ATTEMPTS, put_aside, unfinished_cost
from tasks.running.execute import empty_record

# a node's clock may be years off
LONG_AGO = "2001-01-01T00:00:00+00:00"
NODE_FAIL = JobState("NODE_FAIL", node="v1")


def _ticket(plan: Plan) -> Ticket:
    return Ticket(plan.identity, "7_0", str(plan.folder), slurm_queue.digest(plan.folder))


def _log(plan: Plan, text: str) -> Path:
    path = slurm_queue.slurm_folder(plan.output_dir) / "jobs" / "7_0.log"
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
    outcome = slurm_settle.settle(
        plan, ticket, JobState("COMPLETED"), SlurmSettings(visibility_s=20)
    )
    late.join()
    assert (outcome.record.status, outcome.record.started_at) == ("finished", LONG_AGO)


def test_the_record_of_before_the_submission_is_not_taken_for_this_jobs(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    write(empty_record(plan, "finished", LONG_AGO), plan.folder)
    outcome = slurm_settle.settle(plan, _ticket(plan), NODE_FAIL, SlurmSettings())
    assert outcome.record.failure is not None
    assert "SLURM ended job 7_0: NODE_FAIL, on v1" in outcome.record.failure.message
    assert len(list((plan.folder / ATTEMPTS).glob("*.json"))) == 1  # the old one is kept


def test_the_end_of_the_jobs_log_is_in_the_record(compose: Callable[..., Plan]) -> None:
    plan = compose()
    log = _log(plan, "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0")
    outcome = slurm_settle.settle(plan, _ticket(plan), JobState("OUT_OF_MEMORY"), SlurmSettings())
    assert outcome.record.failure is not None
    assert "oom_kill" in outcome.record.failure.traceback
    assert str(log) in outcome.record.failure.message


def test_a_job_that_could_not_write_its_log_says_where(compose: Callable[..., Plan]) -> None:
    plan = compose()
    state = JobState("FAILED", "JobLaunchFailure", "0:53", "c7")
    outcome = slurm_settle.settle(plan, _ticket(plan), state, SlurmSettings())
    assert outcome.record.failure is not None
    assert "no log: can c7 write to" in outcome.record.failure.message


def test_a_ranks_own_words_and_slurms_reason_are_both_told(compose: Callable[..., Plan]) -> None:
    plan = compose()
    rank_failure.leave(plan.folder, 3, RuntimeError("connection reset by peer"), "Traceback of 3")
    outcome = slurm_settle.settle(plan, _ticket(plan), NODE_FAIL, SlurmSettings())
    failure = outcome.record.failure
    assert failure is not None
    assert (failure.rank, failure.traceback) == (3, "Traceback of 3")
    assert "connection reset by peer" in failure.message and "NODE_FAIL" in failure.message


def test_a_finished_record_of_a_completed_job_is_its_result_whenever_it_was_written(
    compose: Callable[..., Plan],
) -> None:
    """The job found it there, or its record was written before its ticket."""
    plan = compose()
    write(empty_record(plan, "finished", LONG_AGO), plan.folder)
    state = JobState("COMPLETED")
    outcome = slurm_settle.settle(plan, _ticket(plan), state, SlurmSettings(visibility_s=0))
    assert outcome.record.status == "finished"
    assert not (plan.folder / ATTEMPTS).exists()


def test_a_record_that_cannot_be_read_is_told_of_and_stays(compose: Callable[..., Plan]) -> None:
    """As when a newer version wrote it."""
    plan = compose()
    ticket = _ticket(plan)
    plan.folder.mkdir(parents=True)
    (plan.folder / "record.json").write_text('{"schema_version": 99}')
    state, now = JobState("COMPLETED"), SlurmSettings(visibility_s=0)
    outcome = slurm_settle.settle(plan, ticket, state, now)
    assert outcome.record.failure is not None
    assert "left a record that cannot be read" in outcome.record.failure.message
    assert [path.name for path in plan.folder.iterdir()] == ["record.json"]


def test_an_interrupted_record_stays_interrupted_and_has_the_accounts_energy(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    ticket = _ticket(plan)
    ended = Failure(type="CANCELLED", message="SLURM ended job 7_0: CANCELLED")
    own = empty_record(plan, "interrupted", LONG_AGO, ended)
    write(dataclasses.replace(own, scheduler=Scheduler("7_0", "7")), plan.folder)
    state = JobState("CANCELLED", "Resources", "0:15", "v1", energy_kwh=0.5)
    record = slurm_settle.settle(plan, ticket, state, SlurmSettings()).record
    assert (record.status, record.failure) == ("interrupted", ended)
    assert record.scheduler == Scheduler(
        "7_0", "7", state="CANCELLED", reason="Resources", energy_kwh=0.5
    )
    packed = dataclasses.replace(ticket, num_runs=2)  # the job's energy is not one run's
    record = slurm_settle.settle(plan, packed, state, SlurmSettings()).record
    assert record.scheduler is not None and record.scheduler.energy_kwh is None


def test_waiting_tells_counts_reasons_and_what_does_not_start_by_itself() -> None:
    tickets = {name: Ticket(name, f"7_{name}", "/r", "") for name in "01234"}
    known = {
        "7_0": Queued("RUNNING"),
        "7_1": Queued("PENDING", "Priority"),
        "7_2": Queued("PENDING", "JobHeldUser"),
        "7_3": Queued("PENDING", "Priority"),
        "7_4": Queued("PENDING", "JobHeldUser"),
    }
    assert slurm_wait.progress_lines(tickets, known, num_ended=5) == [
        "waiting: 4 pending, 1 running, 5 ended (Priority 2, JobHeldUser 2)",
        "  JobHeldUser: does not start by itself; scontrol release 7_2,7_4",
    ]


@pytest.mark.parametrize(
    ("reason", "others", "words"),
    [
        ("QOSMaxCpuPerUserLimit", "PENDING", "no job of yours runs, so one alone may ask for more"),
        ("QOSMaxCpuPerUserLimit", "RUNNING", None),
        ("ReqNodeNotAvail, UnavailableNodes:c1", "RUNNING", "sinfo -R tells why nodes are down"),
    ],
)
def test_a_wait_that_may_be_for_ever_is_told_of(
    reason: str, others: str, words: str | None
) -> None:
    known = {"7": Queued("PENDING", reason), "8": Queued(others)}
    lines = slurm_wait.progress_lines({"a": Ticket("a", "7", "/r", "")}, known, num_ended=0)
    assert len(lines) == 1 if words is None else words in lines[1]


def test_a_job_that_a_crashed_controller_lost_is_told_of_with_what_to_do(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    now = SlurmSettings(visibility_s=0)
    record = slurm_settle.settle(plan, _ticket(plan), JobState("UNKNOWN"), now).record
    assert record.status == "interrupted" and record.failure is not None
    assert record.failure.type == "LostBySlurm"
    assert "the same command submits it again" in record.failure.message


@pytest.mark.parametrize(("number", "status"), [(0, "failed"), (1, "interrupted")])
def test_a_run_that_its_job_never_began_has_not_failed(
    compose: Callable[..., Plan], number: int, status: str
) -> None:
    """The job was to end while it was at its first run."""
    plan = compose()
    _log(plan, "run 0: /runs/one\nSIGUSR1 warned job 7_0")
    ticket = dataclasses.replace(_ticket(plan), number=number, num_runs=2)
    state = JobState("FAILED", exit_code="75:0")
    assert slurm_settle.settle(plan, ticket, state, SlurmSettings()).record.status == status


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("AssocMaxWallDurationPerJobLimit", "lower hardware.slurm.time_min"),
        ("QOSMaxGRESPerJob", "one job may not ask for so much (GRES)"),
        ("QOSMinGRES", "has to ask for more"),
        ("QOSGrpCPUMinutesLimit", "used its minutes up"),
        ("QOSGrpCPURunMinutesLimit", None),
        ("launch failed requeued held", "scontrol release JOB"),
        ("QOSMaxJobsPerUserLimit", None),  # which is waited for
        ("Priority", None),
    ],
)
def test_only_what_never_starts_has_a_cure(reason: str, words: str | None) -> None:
    advice = slurm_wait.cure(reason)
    assert advice is None if words is None else advice is not None and words in advice


def test_what_a_node_that_died_had_measured_is_in_the_record(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = compose()
    plan.folder.mkdir(parents=True)
    ticket = _ticket(plan)
    block = Reading(0.0, 4.0, 1, 8, Energy(cpu_kwh=0.5))
    phase = PhaseRecord("train", (block,), {}, None, None, "num_steps", 8)
    monkeypatch.setenv("SLURM_JOB_ID", "9")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "7")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "0")
    set_up = Overhead("set-up", 1.0, Energy(cpu_kwh=0.25))
    news = Progress("train", 1, True, 4.0, 10.0, lambda: phase, [set_up])
    slurm_draft.Drafter(plan, LONG_AGO)(news)

    record = slurm_settle.settle(plan, ticket, NODE_FAIL, SlurmSettings()).record

    assert record.status == "interrupted" and record.failure is not None
    assert "NODE_FAIL" in record.failure.message
    assert record.phases["train"].readings == (block,) and record.overheads == (set_up,)
    assert [path.name for path in plan.folder.iterdir()] == ["record.json"]


def test_a_draft_of_a_job_that_starts_again_is_an_attempt(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = compose()
    plan.folder.mkdir(parents=True)
    monkeypatch.setenv("SLURM_JOB_ID", "9")
    phase = PhaseRecord("train", (), {}, None, None, "num_steps", 8)
    spent = [Overhead("set-up", 1.0, Energy(cpu_kwh=0.25))]
    slurm_draft.Drafter(plan, LONG_AGO)(Progress("train", 1, True, 4.0, 1.0, lambda: phase, spent))
    assert slurm_draft.become_record(plan.folder, "8") is None  # another job's
    assert slurm_draft.become_record(plan.folder) is not None
    put_aside(plan.folder)
    (lost,) = unfinished_cost(plan.folder)
    assert (lost.energy, lost.duration_s) == (Energy(cpu_kwh=0.25), 1.0)
