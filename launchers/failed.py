"""The record of a run that could not write its own."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from metering.record import FILE_NAME, Failure, Record, RecordError, Status
from metering.record_file import read, write
from metering.record_host import Code
from tasks.plan import Plan
from tasks.running.attempts import put_aside
from tasks.running.execute import Outcome, empty_record


def leave_record(plan: Plan, failure: Failure, status: Status = "failed") -> Outcome:
    """Write that `plan` ended by `failure`, keeping what an attempt had already recorded."""
    path = plan.folder / FILE_NAME
    try:
        begun: Record | None = read(path)
    except (FileNotFoundError, RecordError):
        begun = None
    if begun is not None and begun.status != "finished":
        record = dataclasses.replace(begun, status=status, failure=failure)
    else:
        from metering.code_version import code_version

        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        bare = empty_record(plan, status, now, failure)
        record = dataclasses.replace(bare, code=Code(**code_version()))
        plan.folder.mkdir(parents=True, exist_ok=True)
        put_aside(plan.folder)  # a finished or unreadable record is kept, not written over
    write(record, plan.folder)
    return Outcome(record, plan.folder)
