"""What developing took: all runs given, finished, failed and interrupted, by what they were for.

An attempt that was cut off or failed counts once: from its own file beside the record that was
made after it, else from what that record says of it (its `overheads`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.export.report_facts import Overhead, RunFacts

NOTE = (
    "Of the runs given alone: what ran elsewhere is not in it. Finished runs count their measured "
    "blocks, warm-up and what was spent around them; failed and interrupted ones, earlier attempts "
    "at a run among them, the time from start to end, and the energy that was still read."
)
_NAMES = {
    "supervised": "training and testing",
    "finetune": "fine-tuning",
    "distill": "distillation",
}
_LAST = ("failed", "interrupted")
_ATTEMPT = re.compile(r"(failed|interrupted) attempt of (.+)")


@dataclass(frozen=True)
class Spent:
    """device_hours: wall time x devices; kwh: that was read, `None` where nothing was;
    num_unknown: runs of which no energy was read."""

    name: str
    num_runs: int
    device_hours: float
    kwh: float | None
    num_unknown: int


@dataclass(frozen=True)
class _Piece:
    """One run, or one attempt at it that another record tells of."""

    name: str
    device_s: float
    kwh: float | None


def breakdown(runs: Sequence[RunFacts]) -> list[Spent]:
    """By purpose, then failed and interrupted runs, then all."""
    pieces = list(_pieces(runs))
    names = sorted(
        {piece.name for piece in pieces},
        key=lambda name: (_LAST.index(name) if name in _LAST else -1, name),
    )
    groups = [(name, [piece for piece in pieces if piece.name == name]) for name in names]
    return [_spent(name, group) for name, group in (*groups, ("all", pieces))]


def _spent(name: str, pieces: Sequence[_Piece]) -> Spent:
    known = [piece.kwh for piece in pieces if piece.kwh is not None]
    return Spent(
        name=name,
        num_runs=len(pieces),
        device_hours=sum(piece.device_s for piece in pieces) / 3600,
        kwh=sum(known) if known else None,
        num_unknown=len(pieces) - len(known),
    )


def _pieces(runs: Sequence[RunFacts]) -> Iterator[_Piece]:
    """Every run and attempt, once."""
    every: dict[str, RunFacts] = {}
    for run in runs:
        for attempt in (run, *run.attempts):
            every.setdefault(attempt.run_id, attempt)
    known_starts = {run.started_at for run in every.values() if run.status != "finished"}
    counted: set[str] = set()
    for run in every.values():
        own = []
        for overhead in run.overheads:
            match = _ATTEMPT.fullmatch(overhead.name)
            if match is None:
                own.append(overhead)
            elif match[2] not in known_starts and overhead.name not in counted:
                counted.add(overhead.name)
                device_s = overhead.duration_s * run.num_devices
                yield _Piece(match[1], device_s, overhead.energy_kwh)
        name = run.status if run.status != "finished" else _NAMES.get(run.stage, run.stage)
        yield _Piece(name, _seconds(run) * run.num_devices, _kwh(run, own, every))


def _kwh(run: RunFacts, overheads: Sequence[Overhead], every: dict[str, RunFacts]) -> float | None:
    """All blocks, those that do not count too, and its overheads; without the blocks of an earlier
    attempt that counts by itself."""
    parts: list[float | None] = [overhead.energy_kwh for overhead in overheads]
    for phase in run.phases:
        for block in phase.blocks:
            if block.attempt in every and block.attempt != run.run_id:
                continue
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
