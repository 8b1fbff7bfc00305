"""The record of what is no task of ours: a loop of the user's, or a program under `watt exec`."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import traceback
import uuid
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metering import lost_worker
from metering.code_version import code_version
from metering.host import host_facts
from metering.meter import Meter
from metering.ranks import Ranks
from metering.record import Failure, Overhead, Record, Status
from metering.record_file import write
from metering.record_host import Code, Host
from metering.setup import Asked, Found, SetUp
from metering.used import added, used
from tasks.running.ending import asked_by
from tasks.running.this_machine import on_this_machine
from watt_for_what.errors import WattError

J_PER_KWH = 3.6e6
WHOLE_NOTE = "a whole training: what it used, from its first step to its last"


def now() -> str:
    """ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def silence_codecarbon() -> None:
    """Its own log is none of the program's; an error still shows."""
    importlib.import_module("codecarbon")  # which sets its level when it is imported
    logging.getLogger("codecarbon").setLevel(logging.ERROR)


def found(meter: Meter | None, fingerprint: str | None, ranks: Ranks) -> Found | None:
    """None where nothing could be metered."""
    if meter is None:
        return None
    here = on_this_machine(meter.all_gpus, ranks.num_nodes, meter.sensors(), None)
    return dataclasses.replace(here, network_fingerprint=fingerprint)


def record(
    *,
    status: Status,
    asked: Asked,
    found: Found | None,
    hardware: str,
    started_at: str,
    config: dict[str, Any],
    meter_facts: dict[str, Any],
    **more: Any,
) -> Record:
    """more: the other fields of `metering.record.Record`. It is no row of the paper."""
    return Record(
        run_id=uuid.uuid4().hex,
        status=status,
        setup=SetUp(asked, found),
        paper_row=None,
        hardware=hardware,
        started_at=started_at,
        ended_at=now(),
        config=config,
        code=Code(**code_version()),
        host=Host(**host_facts(), **meter_facts),
        **more,
    )


def write_record(record: Record, folder: Path) -> None:
    """Raises `WattError` where the folder cannot be written any more."""
    try:
        write(record, folder)
    except OSError as error:
        raise WattError(f"the record cannot be written to {folder}: {error}") from error


def status_of(
    error: BaseException | None, ranks: Ranks, arrived: Collection[object] = ()
) -> tuple[Status, Failure | None]:
    """How a run ended that `error` ended. arrived: signals that wait for its record."""
    if error is None:
        return "finished", None
    was_asked = asked_by(error) is not None
    if not was_asked:
        lost_worker.wait_for_own_signal(error, arrived)
    left = was_asked or bool(arrived)
    failure = Failure(
        type=type(error).__name__,
        message=str(error),
        traceback="".join(traceback.format_exception(error)),
        rank=ranks.rank if ranks.num_ranks > 1 else None,
    )
    return ("interrupted" if left else "failed"), failure


def by_name(overheads: Iterable[Overhead]) -> tuple[Overhead, ...]:
    """Those of one name added: a training writes many checkpoints."""
    sums: dict[str, Overhead] = {}
    for overhead in overheads:
        before = sums.get(overhead.name)
        sums[overhead.name] = (
            overhead
            if before is None
            else Overhead(
                overhead.name,
                before.duration_s + overhead.duration_s,
                added(before.energy, overhead.energy),
            )
        )
    return tuple(sums.values())


def standing_notes(whole: bool, num_nodes: int) -> tuple[str, ...]:
    if not whole:
        return ()
    if num_nodes > 1:
        return (WHOLE_NOTE, "outside of the windows only the first node was read")
    return (WHOLE_NOTE,)


def summary(record: Record, folder: Path) -> Iterator[str]:
    """A few lines for the terminal."""
    for name, phase in record.phases.items():
        rate = phase.energy_kwh_per_sample
        if rate is None:
            yield f"{record.model}: {name}: no rate"
            continue
        spread = rate.relative_half_width
        within = "" if spread is None else f" ± {_percent(spread)} %"
        yield (
            f"{record.model}: {name} {J_PER_KWH * rate.mean:.4g} J a sample{within}"
            f" ({phase.num_samples} samples, {phase.stop_reason})"
        )
        yield from (f"{record.model}: note: {flag}" for flag in phase.flags)
    if record.config.get("whole"):
        parts = {
            name: kwh for name, e in used([record]).items() if (kwh := e.total_kwh) is not None
        }
        energies = ", ".join(f"{name} {kwh:.4g}" for name, kwh in parts.items())
        yield f"{record.model}: {sum(parts.values()):.4g} kWh in all: {energies}"
    standing = standing_notes(whole=True, num_nodes=2)
    yield from (f"{record.model}: note: {note}" for note in record.notes if note not in standing)
    yield f"{record.model}: {record.status}: {folder / 'record.json'}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g}" if share < 1 else f"{100 * share:.0f}"
