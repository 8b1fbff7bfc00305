"""What earlier records answer: a run that was measured already is not measured again.

A finished record answers a plan whose identity it has, when the machine is the same, every phase
that the plan asks for is there, and each interval is as narrow as is asked or was given at least
the time that is given now. Otherwise the phases that are missing are measured, and those whose
interval is too wide are continued.

A finished record of another machine, of other versions or of an older step is left whole: before
this machine measures, its folder's record moves to a folder beside it, `IDENTITY.on-MACHINE`, and
both stand in the tables.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metering.record import CONFIDENCE, FILE_NAME, Phase, PhaseRecord, Record, RecordError
from metering.record_file import read
from metering.setup import MACHINE_FIELDS, Found
from tasks.plan import Plan
from tasks.running import attempts

COMPARED_FIELDS = (*MACHINE_FIELDS, "versions", "step_version")
"""Fields of `Found` that are known before a run and must be equal; the network's fingerprint is
compared once it is built."""


@dataclass(frozen=True)
class Earlier:
    """A finished record of this identity and machine. missing: the plan's phases that it does not
    answer; an empty tuple: measured already."""

    record: Record
    path: Path
    missing: tuple[str, ...]


def find(plan: Plan, machine: Found | None) -> Earlier | None:
    """The record that answers most of `plan`; None where there is none. machine: this one; None:
    not known (a login node), and then not compared."""
    best: Earlier | None = None
    for path in _candidates(plan):
        record = _finished(path)
        if record is None or record.repetition != plan.repetition:
            continue
        if machine is not None and not is_machine(record.setup.found, machine):
            continue
        missing = tuple(name for name in plan.phases if not _answers(record, name, plan))
        if best is None or len(missing) < len(best.missing):
            best = Earlier(record, path, missing)
    return best


def is_machine(found: Found | None, machine: Found) -> bool:
    """Whether a record's `found` is of a machine like `machine`. A number of CPUs that an older
    record does not have is no difference."""
    return found is not None and all(
        getattr(found, name) == getattr(machine, name)
        for name in COMPARED_FIELDS
        if name != "num_cpus" or found.num_cpus is not None
    )


def leave_other_machine(folder: Path, machine: Found) -> None:
    """Move a finished record of another machine out of `folder`, to one beside it."""
    record = _finished(folder / FILE_NAME)
    if record is None or record.setup.found is None or is_machine(record.setup.found, machine):
        return
    beside = folder.with_name(f"{folder.name}.on-{_machine_digest(record.setup.found)}")
    beside.mkdir(exist_ok=True)
    attempts.put_aside(beside)
    (folder / FILE_NAME).replace(beside / FILE_NAME)


def _candidates(plan: Plan) -> Iterator[Path]:
    """Where a record of `plan` may lie: in its folder, beside it, or put aside by an attempt that
    then failed."""
    folder = plan.folder
    yield folder / FILE_NAME
    yield from sorted(folder.parent.glob(f"{folder.name}.on-*/{FILE_NAME}"))
    yield from sorted((folder / attempts.ATTEMPTS).glob("*.json"), reverse=True)


def _finished(path: Path) -> Record | None:
    try:
        record = read(path)
    except (OSError, RecordError):
        return None
    return record if record.status == "finished" and _is_at_95(record) else None


def _is_at_95(record: Record) -> bool:
    """An interval of another confidence, which earlier versions could be asked for, is neither as
    narrow as it looks nor to be joined with a new one."""
    intervals = [phase.energy_kwh_per_sample for phase in record.phases.values()]
    return all(interval is None or interval.confidence == CONFIDENCE for interval in intervals)


def _answers(record: Record, phase: Phase, plan: Plan) -> bool:
    measured = record.phases.get(phase)
    if measured is None:
        return False
    return is_narrow(measured, plan) or _was_given_as_much(record.config.get("meter"), plan)


def is_narrow(measured: PhaseRecord, plan: Plan) -> bool:
    """Whether the interval is as narrow as is asked. The other modes ask for a number of steps,
    which is part of the identity."""
    if plan.meter.mode != "adaptive":
        return measured.stop_reason == "num_steps"
    interval = measured.energy_kwh_per_sample
    spread = interval.relative_half_width if interval else None
    return spread is not None and spread <= plan.meter.relative_error


def _was_given_as_much(meter: Any, plan: Plan) -> bool:
    """Whether the record was asked for as narrow an interval, with as much time: it would end in
    the same way again."""
    if not isinstance(meter, dict):
        return False
    limits = ("relative_error", "time_budget_s", "max_blocks")
    if not all(isinstance(meter.get(name), int | float) for name in limits):
        return False
    return bool(
        meter["relative_error"] <= plan.meter.relative_error
        and meter["time_budget_s"] >= plan.meter.time_budget_s
        and meter["max_blocks"] >= plan.meter.max_blocks
    )


def _machine_digest(found: Found) -> str:
    fields = {name: getattr(found, name) for name in COMPARED_FIELDS}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:8]


def carried_overheads(record: Record) -> tuple[Any, ...]:
    """What the earlier attempt spent outside of its windows, named as its own."""
    return tuple(
        dataclasses.replace(overhead, name=f"{overhead.name} (attempt {record.run_id[:8]})")
        if "attempt" not in overhead.name
        else overhead
        for overhead in record.overheads
    )
