"""What became of a run whose job has ended: its own record with SLURM's word, or one that says why
there is none."""

from __future__ import annotations

import dataclasses
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from launchers import failed, rank_failure, slurm_draft, slurm_state
from launchers.settings import SlurmSettings
from launchers.slurm_queue import Ticket, digest
from launchers.slurm_state import JobState
from metering.record import FILE_NAME, Failure, Record, RecordError, Status
from metering.record_file import read, write
from metering.scheduler import Scheduler
from tasks.plan import Plan
from tasks.running.execute import Outcome, empty_record, finished

LOG_TAIL_CHARS = 4000


def settle(
    plan: Plan,
    ticket: Ticket,
    state: JobState,
    settings: SlurmSettings,
    ended_at_s: float | None = None,
) -> Outcome:
    """The record that the ended job left, with SLURM's word on the job; a record of an attempt
    that is cut off stays `interrupted`, whoever waits for it. Where the job left none: a new one.
    ended_at_s: of `time.monotonic`, since when the job is known to have ended."""
    patience_s = settings.visibility_s if state.state in {"COMPLETED", "UNKNOWN"} else 1.0
    deadline = (time.monotonic() if ended_at_s is None else ended_at_s) + patience_s
    record = _new_record(plan, ticket, state, deadline)
    if record is not None and record.status == "finished":
        return Outcome(with_job_end(record, plan.folder, ticket, state), plan.folder)
    unreadable = _unreadable(plan, ticket) if record is None else None
    if unreadable is not None:
        return Outcome(empty_record(plan, "failed", _now(), unreadable), plan.folder)
    if record is None:
        record = slurm_draft.become_record(plan.folder, ticket.job_id)
    failure, status = _end(record, rank_failure.take(plan.folder), ticket, state)
    if record is None or record.failure != failure:
        record = failed.leave_record(plan, failure, status).record
    return Outcome(with_job_end(record, plan.folder, ticket, state), plan.folder)


def _end(
    record: Record | None, of_rank: Failure | None, ticket: Ticket, state: JobState
) -> tuple[Failure, Status]:
    """How a run ended that did not finish. record: that it left, or its draft; of_rank: of the rank
    that failed first."""
    if record is None and of_rank is None and (lost := _never_began(ticket, state)):
        return lost, "interrupted"
    by_slurm = state.state in slurm_state.FROM_OUTSIDE
    status: Status = "interrupted" if by_slurm else "failed"
    ended = f"SLURM ended job {ticket.job_id}: {state}; {_log(ticket, state)}"
    kind = state.state if by_slurm or state.state == "OUT_OF_MEMORY" else "SlurmJobEnded"
    failure = of_rank
    is_draft = record is not None and record.failure and record.failure.type == slurm_draft.KIND
    if record is not None and not is_draft:
        if state.state != "NODE_FAIL":  # which is a lost connection to the others
            status = record.status
        if failure is None or failure.rank == 0:
            failure = record.failure or Failure(type=kind, message="")
    elif failure is not None and not is_draft:
        status = rank_failure.status(failure)
    if failure is None or failure.type == "SystemExit":
        return Failure(type=kind, message=ended, traceback=_tail(ticket.log)), status
    says_nothing_new = record is not None and state.state in {"FAILED", "UNKNOWN"}
    if state.state not in failure.message and not says_nothing_new:
        # the run's own words come first: a rank may have told of a lost connection alone
        failure = dataclasses.replace(failure, message=f"{failure.message} ({ended})")
    return failure, status


def _never_began(ticket: Ticket, state: JobState) -> Failure | None:
    """Of a run that no process of its own has begun: no fault of the run's."""
    again = "the same command submits it again"
    if state.state == "UNKNOWN" and not ticket.log.exists():
        message = (
            f"SLURM no longer knows job {ticket.job_id}, which left no record and no log: its "
            f"controller may have lost it in a crash; {again}"
        )
        return Failure(type="LostBySlurm", message=message)
    if state.state == "FAILED" and ticket.never_began:
        message = f"job {ticket.job_id} ended before this run of it began: {state}; {again}"
        return Failure(type="NeverBegan", message=f"{message}; log: {ticket.log}")
    return None


def _log(ticket: Ticket, state: JobState) -> str:
    """Where it is, or why there is none: SLURM ends a job whose log it cannot write."""
    if state.state != "FAILED" or ticket.log.exists():
        return f"log: {ticket.log}"
    return f"no log: can {state.node or 'its node'} write to {ticket.log.parent}? (output_dir)"


def with_job_end(record: Record, folder: Path, ticket: Ticket, state: JobState) -> Record:
    """The record with how SLURM says that its job ended; only this job's own record."""
    if state.state == "UNKNOWN" or (record.scheduler is None and record.status == "finished"):
        return record  # what ran in a job says so itself: it is an earlier one's
    job = record.scheduler or Scheduler(ticket.job_id)
    if job.job_id != ticket.job_id:
        return record
    known = dataclasses.replace(
        job,
        state=state.state,
        reason=None if state.reason in {"", "None", "(null)"} else state.reason,
        energy_kwh=state.energy_kwh if ticket.num_runs == 1 else None,
    )
    if known == job:
        return record
    record = dataclasses.replace(record, scheduler=known)
    write(record, folder)
    return record


def _new_record(plan: Plan, ticket: Ticket, state: JobState, deadline: float) -> Record | None:
    """The record that this job left. A finished one is the run's result whenever it was written,
    where the job ended well: it may have found it there. A shared folder may show a file late, and
    a folder's listing is what refreshes it."""
    while True:
        if plan.folder.is_dir():
            os.listdir(plan.folder)
        if digest(plan.folder) not in {"", ticket.before}:
            try:
                return read(plan.folder / FILE_NAME)
            except (FileNotFoundError, RecordError):
                pass  # replaced between two looks, or not whole here yet: look again
        elif state.state == "COMPLETED" and not plan.force and (record := finished(plan)):
            return record
        if time.monotonic() > deadline:
            return _finished_in(plan) if state.state == "COMPLETED" else None
        time.sleep(0.2)


def _unreadable(plan: Plan, ticket: Ticket) -> Failure | None:
    """What is wrong with the record that this job left, as when a newer version wrote it: it stays
    as it is."""
    try:
        read(plan.folder / FILE_NAME)
    except FileNotFoundError:
        return None
    except RecordError as error:
        if digest(plan.folder) != ticket.before:
            message = f"job {ticket.job_id} left a record that cannot be read: {error}"
            return Failure(type="RecordError", message=message)
    return None


def _finished_in(plan: Plan) -> Record | None:
    record = failed.record_in(plan)
    return record if record is not None and record.status == "finished" else finished(plan)


def _tail(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARS:]
    except FileNotFoundError:
        return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
