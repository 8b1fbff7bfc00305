"""The record of a run that could not write its own, and what cut-off attempts have cost."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

from metering.record import (
    FILE_NAME,
    Energy,
    Failure,
    Overhead,
    Record,
    RecordError,
    read,
    write,
)
from tasks.execute import ATTEMPTS, Outcome, empty_record, put_aside
from tasks.plan import Plan


def leave_record(plan: Plan, failure: Failure) -> Outcome:
    """Write that `plan` failed by `failure`, keeping what an attempt had already recorded."""
    path = plan.folder / FILE_NAME
    try:
        begun: Record | None = read(path)
    except (FileNotFoundError, RecordError):
        begun = None
    if begun is not None and begun.status != "finished":
        record = dataclasses.replace(begun, status="failed", failure=failure)
    else:
        from metering.code_version import code_version

        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        bare = empty_record(plan, "failed", now, failure)
        record = dataclasses.replace(bare, code=code_version())
        plan.folder.mkdir(parents=True, exist_ok=True)
        put_aside(plan.folder)  # a finished or unreadable record is kept, not written over
    write(record, plan.folder)
    return Outcome(record, plan.folder)


def interrupted_attempts(folder: Path) -> tuple[Overhead, ...]:
    """What each interrupted attempt at this run has cost, as an overhead of the run."""
    overheads = []
    for path in sorted((folder / ATTEMPTS).glob("*.json")):
        try:
            attempt = read(path)
        except RecordError:
            continue  # an older version's file: nothing that can be counted
        if attempt.status == "interrupted":
            overheads.append(_cost(attempt))
    return tuple(overheads)


def _cost(attempt: Record) -> Overhead:
    parts = [part.energy for part in attempt.overheads]
    for phase in attempt.phases.values():
        parts += [reading.energy for reading in phase.readings]
    started = datetime.fromisoformat(attempt.started_at)
    ended = datetime.fromisoformat(attempt.ended_at)

    def total(name: str) -> float | None:
        read_out = [kwh for part in parts if (kwh := getattr(part, name)) is not None]
        return sum(read_out) if read_out else None

    return Overhead(
        name=f"interrupted attempt of {attempt.started_at}",
        duration_s=max(0.0, (ended - started).total_seconds()),
        energy=Energy(gpu_kwh=total("gpu_kwh"), cpu_kwh=total("cpu_kwh"), ram_kwh=total("ram_kwh")),
    )
