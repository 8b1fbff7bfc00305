"""What runs have used in all, by what it was used for: nothing is scaled or estimated."""

from __future__ import annotations

from collections.abc import Iterable

from metering.block import preferred
from metering.record import Energy, Record


def used(records: Iterable[Record]) -> dict[str, Energy]:
    """Energy of all that `records` read, added: by phase (`train`, `test`: every block, warm-up
    too) and by overhead (`set-up`, `checkpoint`, ...). Give each record once."""
    parts: dict[str, Energy] = {}
    for record in records:
        for name, phase in record.phases.items():
            for reading in phase.readings:
                parts[name] = added(parts.get(name), preferred(reading))
        for overhead in record.overheads:
            parts[overhead.name] = added(parts.get(overhead.name), overhead.energy)
    return parts


def added(first: Energy | None, second: Energy) -> Energy:
    """Sum by component; what one of the two did not read is absent from it."""
    if first is None:
        return second
    return Energy(
        gpu_kwh=_sum(first.gpu_kwh, second.gpu_kwh),
        cpu_kwh=_sum(first.cpu_kwh, second.cpu_kwh),
        ram_kwh=_sum(first.ram_kwh, second.ram_kwh),
    )


def _sum(first: float | None, second: float | None) -> float | None:
    return second if first is None else first if second is None else first + second
