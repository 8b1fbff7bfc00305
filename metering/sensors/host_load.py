"""Whose CPU time it was: a machine's CPU energy, read or modelled, is that of all its processes."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import psutil

MAX_SHARE_OF_OTHERS = 0.05  # of the CPU time used; a machine's own services take a per cent or two
MAX_STOLEN_SHARE = 0.02  # of the time that the CPUs were wanted


@dataclass(frozen=True)
class CpuTimes:
    """Seconds of CPU time since boot: all used on this machine, those of them that are the run's,
    and those in which a virtual machine's CPUs were wanted but given to others."""

    used_s: float
    own_s: float
    stolen_s: float


def read(pids: Collection[int]) -> CpuTimes:
    """Now. pids: the run's processes; their children (a loader's workers) belong to them. Looks at
    every process of the machine once, which takes milliseconds: not inside a block."""
    machine = psutil.cpu_times()
    names = ("user", "nice", "system", "irq", "softirq")
    used_s = sum(getattr(machine, name, 0.0) for name in names)
    return CpuTimes(used_s, sum(map(_tree_s, pids)), getattr(machine, "steal", 0.0))


def _tree_s(pid: int) -> float:
    total_s = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total_s += sum(member.cpu_times()[:4])  # its own, and of children that have ended
    return total_s


def flags(before: CpuTimes | None, after: CpuTimes | None) -> tuple[str, ...]:
    """What a reader of the CPU's energy between two readings has to know; nothing where this
    process took none."""
    if before is None or after is None:
        return ()
    used_s = after.used_s - before.used_s
    if used_s <= 0:
        return ()
    notes = []
    others = max(0.0, 1 - (after.own_s - before.own_s) / used_s)
    if others > MAX_SHARE_OF_OTHERS:
        notes.append(
            f"other processes took {100 * others:.0f} % of the CPU time used on this machine, "
            "whose CPU energy includes theirs"
        )
    stolen_s = after.stolen_s - before.stolen_s
    stolen = stolen_s / (used_s + stolen_s)
    if stolen > MAX_STOLEN_SHARE:
        notes.append(f"other virtual machines took {100 * stolen:.0f} % of this one's CPU time")
    return tuple(notes)
