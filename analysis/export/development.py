"""What developing took: all runs given, finished, failed and interrupted, by what they were for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.export.report_facts import RunFacts

NOTE = (
    "Of the runs given alone: what ran elsewhere is not in it. Finished runs count their measured "
    "blocks, warm-up and what was spent around them; failed and interrupted ones the time from "
    "start to end, and the energy that was still read."
)
_NAMES = {
    "supervised": "training and testing",
    "finetune": "fine-tuning",
    "distill": "distillation",
}


@dataclass(frozen=True)
class Spent:
    """device_hours: wall time x devices; kwh: that was read, `None` where nothing was;
    num_unknown: runs of which no energy was read."""

    name: str
    num_runs: int
    device_hours: float
    kwh: float | None
    num_unknown: int


def breakdown(runs: Sequence[RunFacts]) -> list[Spent]:
    """By purpose, then failed and interrupted runs, then all."""
    groups: dict[str, list[RunFacts]] = {}
    for run in runs:
        name = run.status if run.status != "finished" else _NAMES.get(run.stage, run.stage)
        groups.setdefault(name, []).append(run)
    last = ("failed", "interrupted")
    names = sorted(groups, key=lambda name: (last.index(name) if name in last else -1, name))
    return [_spent(name, groups[name]) for name in names] + [_spent("all", runs)]


def _spent(name: str, runs: Sequence[RunFacts]) -> Spent:
    energies = [_kwh(run) for run in runs]
    known = [kwh for kwh in energies if kwh is not None]
    return Spent(
        name=name,
        num_runs=len(runs),
        device_hours=sum(_seconds(run) * run.num_devices for run in runs) / 3600,
        kwh=sum(known) if known else None,
        num_unknown=len(energies) - len(known),
    )


def _kwh(run: RunFacts) -> float | None:
    """All blocks, those that do not count too, and all overheads."""
    parts: list[float | None] = [one.energy_kwh for one in run.overheads]
    for phase in run.phases:
        for block in phase.blocks:
            pairs = (
                (block.own_gpu_kwh, block.gpu_kwh),
                (block.own_cpu_kwh, block.cpu_kwh),
                (block.own_ram_kwh, block.ram_kwh),
            )
            parts += [other if own is None else own for own, other in pairs]
        if not phase.blocks:
            parts.append(phase.energy_kwh)
    known = [kwh for kwh in parts if kwh is not None]
    return sum(known) if known else None


def _seconds(run: RunFacts) -> float:
    """From start to end by the record's clock; of a log without a start, what was read."""
    try:
        start, end = datetime.fromisoformat(run.started_at), datetime.fromisoformat(run.ended_at)
        return max(0.0, (end - start).total_seconds())
    except (TypeError, ValueError):
        return sum(phase.duration_s for phase in run.phases)
