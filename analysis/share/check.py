"""Bundles, folders and records: a verdict on each record, alone and beside the others."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Literal

from analysis.records.load import Problem, find_records, no_collection
from analysis.share.block_checks import Counted
from analysis.share.bundle import is_bundle, read_lines
from analysis.share.finding import Finding
from analysis.share.record_checks import findings, worst
from metering.record import Reading, Record, RecordError
from metering.record_file import from_json
from metering.setup import merge_key

Verdict = Literal["believable", "doubtful", "not believable"]
VERDICTS: tuple[Verdict, ...] = ("believable", "doubtful", "not believable")
LEAST_COPY = 4
"""Blocks whose durations agree to the last bit; fewer may agree where a clock is coarse."""
LEAST_DIGITS = 7
"""Of a block's time that no other block shares by chance, together with all its energies."""
FAR = 3.0
"""Repetitions of one set-up on one board do not differ by more than this factor."""
LEAST_REPETITIONS = 3
SHARED_SLACK = timedelta(seconds=5)
"""Two runs one after the other may share so much, where clocks were set in between."""


@dataclass
class Checked:
    """place: where the record stands; record: `None` where it cannot be read."""

    place: str
    record: Record | None
    findings: list[Finding] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        weight = worst(self.findings)
        if weight is None:
            return "believable"
        return "not believable" if weight == "wrong" else "doubtful"

    def __str__(self) -> str:
        name = self.place
        if self.record is not None:
            name += f" ({self.record.model}, {self.record.run_id[:8]})"
        return f"{name}: {self.verdict}" + (
            f": {'; '.join(dict.fromkeys(finding.reason for finding in self.findings))}"
            if self.findings
            else ""
        )


def check(places: Sequence[Path]) -> list[Checked]:
    """Every record of bundles, folders and files. Raises `AnalysisError` for a damaged bundle, or
    `OSError`."""
    with no_collection():
        checked = [_checked(place, content) for place, content in _contents(places)]
    readable = [entry for entry in checked if entry.record is not None]
    _copies(readable)
    _outliers(readable)
    _at_once(readable)
    return checked


def _contents(places: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    problems: list[Problem] = []
    for place in places:
        if is_bundle(place):
            yield from read_lines(place)
            continue
        for path in find_records([place], problems):
            yield path, Path(path).read_bytes()


def _checked(place: str, content: bytes) -> Checked:
    try:
        record = from_json(content)
    except RecordError as error:
        return Checked(place, None, [Finding("wrong", f"its schema: {error}")])
    return Checked(place, record, findings(record))


def _copies(checked: Iterable[Checked]) -> None:
    """A record that is there twice, and one whose blocks have the times or the energies of
    another's, to nine digits: it was copied, and perhaps changed."""
    by_id: dict[str, Checked] = {}
    by_series: dict[bytes, tuple[Checked, str]] = {}
    by_block: dict[str, tuple[Checked, bool]] = {}
    for entry in checked:
        record = entry.record
        assert record is not None
        first = by_id.setdefault(record.run_id, entry)
        if first is not entry:
            same = first.record == record
            problem = f"the run of {first.place} again" + ("" if same else ", with other content")
            entry.findings.append(Finding("doubtful" if same else "wrong", problem))
            continue
        for series, phase, name in _series(record):
            first, of_phase = by_series.setdefault(series, (entry, phase))
            if first is entry and of_phase != phase:
                problem = f"{phase}: a copy of its {of_phase} phase: the {name} of the blocks"
                entry.findings.append(Finding("wrong", f"{problem} are the same"))
                break
            if first is not entry and not _measured_by(record) & _measured_by(first.record):
                problem = f"a copy of {first.place}: the {name} of its blocks are the same"
                entry.findings.append(Finding("wrong", problem))
                break
        else:
            _copied_block(entry, by_block)


def _copied_block(entry: Checked, by_block: dict[str, tuple[Checked, bool]]) -> None:
    """A block that is one of another record's, where either has too few for a series. by_block:
    the blocks of the records before, and whether each is of a short phase; grows by this one's."""
    record = entry.record
    assert record is not None
    copied_from: Checked | None = None
    for phase in record.phases.values():
        counted = Counted.of(phase)
        is_short = len(counted.blocks) < LEAST_COPY
        for block in counted.blocks:
            first, was_short = by_block.setdefault(_block_key(record, block), (entry, is_short))
            if first is entry or not (is_short or was_short):
                continue
            if not _measured_by(record) & _measured_by(first.record):
                copied_from = copied_from or first
    if copied_from is not None:
        problem = (
            f"a copy of {copied_from.place}: the time and every energy of a block are the same"
        )
        entry.findings.append(Finding("wrong", problem))


def _block_key(record: Record, block: Reading) -> str:
    """Its time and energies to nine digits; its start too where the time is round, as a person or
    a coarse clock gives it."""
    energy, own = block.energy, block.own
    parts = (energy.gpu_kwh, energy.cpu_kwh, energy.ram_kwh, own.gpu_kwh, own.cpu_kwh, own.ram_kwh)
    energies = ",".join("" if kwh is None else f"{kwh:.9g}" for kwh in parts)
    time = f"{block.duration_s:.9g}"
    digits = len(time.partition("e")[0].replace(".", "").strip("0"))
    start = "" if digits >= LEAST_DIGITS else f"{record.started_at} {block.started_at_s!r}"
    return f"{start} {time} {energies}"


def _measured_by(record: Record | None) -> set[str]:
    """Run ids of those who measured its blocks: a record that goes on from an earlier one says so,
    and is no copy."""
    if record is None:
        return set()
    blocks = (block for phase in record.phases.values() for block in phase.readings)
    return {block.attempt or record.run_id for block in blocks}


def _series(record: Record) -> Iterator[tuple[bytes, str, str]]:
    """Of each phase its blocks' times, and the energies that were counted, each as shares of the
    first: one factor over all hides no copy. With the phase's name, and what the series is of."""
    for phase in record.phases.values():
        counted = Counted.of(phase)
        times: list[float | None] = [block.duration_s for block in counted.blocks]
        for name, values in (("times", times), ("energies of the GPU", counted.of_part("gpu"))):
            first = values[0] if values else None
            if not first or None in values or len(set(values)) < LEAST_COPY:
                continue
            shares = ",".join(f"{value / first:.9g}" for value in values if value is not None)
            yield hashlib.sha256(f"{name} {shares}".encode()).digest(), phase.phase, name


def _outliers(checked: Iterable[Checked]) -> None:
    """A rate far from those of the other runs of its set-up."""
    groups: dict[tuple[str, str], list[tuple[Checked, float]]] = {}
    for entry in checked:
        assert entry.record is not None
        for phase in entry.record.phases.values():
            interval = phase.energy_kwh_per_sample
            if interval is not None and interval.mean > 0:
                key = merge_key(entry.record.setup), phase.phase
                groups.setdefault(key, []).append((entry, interval.mean))
    for (_, name), members in groups.items():
        if len(members) < LEAST_REPETITIONS:
            continue
        middle = median(rate for _, rate in members)
        for entry, rate in members:
            if abs(math.log(rate / middle)) > math.log(FAR):
                apart = f"{rate / middle:.2g} x the median of its set-up's {len(members)} runs"
                entry.findings.append(Finding("doubtful", f"{name}: {apart}"))


def _at_once(checked: Iterable[Checked]) -> None:
    """Two runs at one time on one board, whose counter has the energy of both."""
    spans: dict[str, list[tuple[datetime, datetime, Checked]]] = {}
    run_ids = set[str]()
    for entry in checked:
        assert entry.record is not None
        if entry.record.run_id in run_ids:
            continue
        run_ids.add(entry.record.run_id)
        with contextlib.suppress(ValueError):
            start = datetime.fromisoformat(entry.record.started_at)
            end = datetime.fromisoformat(entry.record.ended_at)
            if start.tzinfo is None or end.tzinfo is None:
                continue
            for board in {gpu.uuid for gpu in entry.record.host.gpus if gpu.uuid and not gpu.mig}:
                spans.setdefault(board, []).append((start, end, entry))
    for of_board in spans.values():
        of_board.sort(key=lambda span: span[0])
        busy_until, busy_with = of_board[0][1:]
        for start, end, entry in of_board[1:]:
            if busy_until - start > SHARED_SLACK and entry is not busy_with:
                problem = f"it ran on the same board at the same time as {busy_with.place}"
                entry.findings.append(Finding("doubtful", problem))
            if end > busy_until:
                busy_until, busy_with = end, entry
