"""The record of a run that could not write its own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime

from metering.record import (
    FILE_NAME,
    Failure,
    Overhead,
    Phase,
    PhaseRecord,
    Record,
    RecordError,
    Status,
)
from metering.record_file import read, write
from metering.record_host import Code, Host
from tasks.plan import Plan
from tasks.running.attempts import put_aside
from tasks.running.execute import Outcome, empty_record


@dataclass(frozen=True)
class Draft:
    """What is known of a run that left no record."""

    started_at: str
    phases: dict[Phase, PhaseRecord] = field(default_factory=dict)
    overheads: tuple[Overhead, ...] = ()


def record_in(plan: Plan) -> Record | None:
    """The record that lies in the run's folder; None where there is none that can be read."""
    try:
        return read(plan.folder / FILE_NAME)
    except (FileNotFoundError, RecordError):
        return None


def leave_record(
    plan: Plan, failure: Failure, status: Status = "failed", draft: Draft | None = None
) -> Outcome:
    """Write that `plan` ended by `failure`, with what this attempt has recorded already. draft:
    what is known of an attempt that has recorded nothing."""
    begun = record_in(plan) if draft is None else None
    if begun is not None and begun.status != "finished":
        record = dataclasses.replace(begun, status=status, failure=failure)
    else:
        plan.folder.mkdir(parents=True, exist_ok=True)
        put_aside(plan.folder)  # a finished or unreadable record is kept, not written over
        record = _from_draft(plan, failure, status, draft)
    write(record, plan.folder)
    return Outcome(record, plan.folder)


def _from_draft(plan: Plan, failure: Failure, status: Status, draft: Draft | None) -> Record:
    """draft: of a run on this machine, whose facts are then kept too."""
    from metering.code_version import code_version
    from metering.host import host_facts

    bare = empty_record(plan, status, draft.started_at if draft else _now(), failure)
    record = dataclasses.replace(bare, code=Code(**code_version()))
    if draft is None:
        return record
    return dataclasses.replace(
        record,
        host=Host(**host_facts()),
        phases=draft.phases,
        overheads=draft.overheads,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
