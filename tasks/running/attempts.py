"""Earlier attempts at a run: kept beside its record, and what the cut-off ones have cost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from metering import atomic_file
from metering.block import preferred
from metering.record import FILE_NAME, Energy, Overhead, Record, RecordError
from metering.record_file import read

ATTEMPTS = "attempts"
_NAMES = ("interrupted attempt of ", "failed attempt of ")


def put_aside(folder: Path) -> None:
    """Keep an earlier attempt's record: what was measured is never lost."""
    old = folder / FILE_NAME
    if old.exists():
        (folder / ATTEMPTS).mkdir(exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        old.replace(folder / ATTEMPTS / f"{stamp}.json")


def sweep_drafts(folder: Path) -> None:
    """Remove half-written records of attempts that were killed; the caller holds the folder's
    lock, so nobody is writing one."""
    atomic_file.remove_leftovers(folder, FILE_NAME)


def unfinished_cost(folder: Path) -> tuple[Overhead, ...]:
    """What each attempt since the last finished one has cost that was cut off or failed, kWh."""
    overheads: list[Overhead] = []
    for path in sorted((folder / ATTEMPTS).glob("*.json")):
        try:
            attempt = read(path)
        except (OSError, RecordError):
            continue  # an older version's file, or unreadable: nothing that can be counted
        if attempt.status == "finished":
            overheads.clear()  # that record has them already
        else:
            overheads.append(_cost(attempt))
    return tuple(overheads)


def _cost(attempt: Record) -> Overhead:
    """The sums of what it has measured: the duration is of the energy, not of the attempt."""
    # an older record of a failure has the attempts before it as overheads
    own = [part for part in attempt.overheads if not part.name.startswith(_NAMES)]
    parts = [(part.duration_s, part.energy) for part in own]
    for phase in attempt.phases.values():
        parts += [(reading.duration_s, preferred(reading)) for reading in phase.readings]

    def total(name: str) -> float | None:
        read_out = [kwh for _, part in parts if (kwh := getattr(part, name)) is not None]
        return sum(read_out) if read_out else None

    return Overhead(
        name=f"{attempt.status} attempt of {attempt.started_at}",
        duration_s=sum(duration_s for duration_s, _ in parts),
        energy=Energy(gpu_kwh=total("gpu_kwh"), cpu_kwh=total("cpu_kwh"), ram_kwh=total("ram_kwh")),
    )
