"""Wait for submitted runs; one that SLURM ended without a record gets one that says why."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from launchers import failed, rank_failure, slurm_state
from launchers.slurm_queue import Ticket, digest, slurm_folder
from launchers.slurm_resources import SlurmSettings
from metering.record import FILE_NAME, Failure, Record, RecordError
from metering.record_file import read
from tasks.plan import Plan
from tasks.running.execute import Outcome

LOG_TAIL_CHARS = 4000


def wait_for(
    plans: Mapping[str, Plan], tickets: Mapping[str, Ticket], settings: SlurmSettings
) -> dict[str, Outcome]:
    """Every run's outcome, by identity, once all have ended."""
    outcomes: dict[str, Outcome] = {}
    while len(outcomes) < len(plans):
        try:
            known = slurm_state.queued()
        except slurm_state.SlurmUnreachable as error:
            print(f"SLURM does not answer ({error}); still waiting", file=sys.stderr, flush=True)
            time.sleep(settings.poll_s)
            continue
        for identity in plans.keys() - outcomes.keys():
            ticket = tickets[identity]
            if known.get(ticket.job_id, "UNKNOWN") in slurm_state.ENDED | {"UNKNOWN"}:
                state = slurm_state.look_up(ticket.job_id)
                if state.has_ended:
                    outcomes[identity] = settle(plans[identity], ticket, state, settings)
                    print(f"SLURM job {ticket.job_id} ({plans[identity].model.name}): {state}")
        if len(outcomes) < len(plans):
            time.sleep(settings.poll_s)
    return outcomes


def settle(
    plan: Plan, ticket: Ticket, state: slurm_state.JobState, settings: SlurmSettings
) -> Outcome:
    """The record that the ended job left, or a failed one with SLURM's reason."""
    patience_s = settings.visibility_s if state.state in {"COMPLETED", "UNKNOWN"} else 1.0
    record = _new_record(plan, ticket, patience_s)
    failure = rank_failure.take(plan.folder)
    if record is not None and record.status == "finished":
        return Outcome(record, plan.folder)
    if record is not None and record.status == "failed" and failure is None:
        return Outcome(record, plan.folder)
    log = _log(plan, ticket)
    ended = f"SLURM ended job {ticket.job_id}: {state}; log: {log}"
    if failure is None or failure.type == "SystemExit":
        failure = Failure(type="SlurmJobEnded", message=ended, traceback=_tail(log))
    elif failure.type != "PlanError":  # a rank's own words may only be of a lost connection
        failure = dataclasses.replace(failure, message=f"{failure.message} ({ended})")
    return failed.leave_record(plan, failure)


def _new_record(plan: Plan, ticket: Ticket, patience_s: float) -> Record | None:
    """A shared folder may show a file late, and a folder's listing is what refreshes it."""
    deadline = time.monotonic() + patience_s
    while True:
        if plan.folder.is_dir():
            os.listdir(plan.folder)
        if digest(plan) not in {"", ticket.before}:
            try:
                return read(plan.folder / FILE_NAME)
            except (FileNotFoundError, RecordError):
                pass  # replaced between two looks, or not whole here yet: look again
        if time.monotonic() > deadline:
            return None
        time.sleep(min(0.5, patience_s))


def _log(plan: Plan, ticket: Ticket) -> Path:
    return slurm_folder(plan.output_dir) / "jobs" / f"{ticket.job_id}_0_log.err"


def _tail(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARS:]
    except FileNotFoundError:
        return ""
