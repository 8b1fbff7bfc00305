"""One synchronised block: what both readers say of it, and which of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metering.record import Energy, Reading


class MeterError(RuntimeError):
    """The energy of this run cannot be trusted, and so is not reported."""


@dataclass(frozen=True)
class Block:
    """One synchronised block on one node: both readings of it, and why not to believe them."""

    duration_s: float
    energy: Energy
    own: Energy
    fault: str = ""
    others: tuple[int, ...] = ()
    """Process ids that computed on the same GPUs and are not the run's."""


@dataclass(frozen=True)
class Difference:
    """Energy between two snapshots; `fault` says why it cannot be believed, or is empty."""

    energy: Energy
    fault: str = ""


def preferred(block: Block | Reading) -> Energy:
    """The reading that counts, by component: our own counter where there is one."""
    own, other = block.own, block.energy
    return Energy(
        gpu_kwh=other.gpu_kwh if own.gpu_kwh is None else own.gpu_kwh,
        cpu_kwh=other.cpu_kwh if own.cpu_kwh is None else own.cpu_kwh,
        ram_kwh=other.ram_kwh if own.ram_kwh is None else own.ram_kwh,
    )


def sum_over_nodes(blocks: Sequence[Block]) -> Block:
    """One block of the whole run: energies add, the longest duration counts."""

    def total(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    def energy(parts: Sequence[Energy]) -> Energy:
        return Energy(
            gpu_kwh=total([part.gpu_kwh for part in parts]),
            cpu_kwh=total([part.cpu_kwh for part in parts]),
            ram_kwh=total([part.ram_kwh for part in parts]),
        )

    return replace(
        blocks[0],
        duration_s=max(block.duration_s for block in blocks),
        energy=energy([block.energy for block in blocks]),
        own=energy([block.own for block in blocks]),
        fault=next((block.fault for block in blocks if block.fault), ""),
        others=tuple(pid for block in blocks for pid in block.others),
    )
