"""The blocks of a window in order, each with its steps, and which of them count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from metering.block import Block, preferred
from metering.plausibility import BESIDE_STOOD_STILL, STOOD_STILL
from metering.record import Interval, Reading, Use
from metering.settings import MeterSettings
from metering.statistics import rate_interval, warmup_length

J_PER_KWH = 3.6e6
SAME_C = 1.5
NUM_LAST = 5
SECONDS_PER_HOUR = 3600
ONE_TICK = 1.2  # of the counter's period, that two of its steps lie apart


@dataclass(frozen=True)
class Row:
    """One block: when it began (seconds into the window), its steps and samples over all ranks,
    the seconds in which it waited for data, what was read, and whether it began after a stop
    (else at the reading that ended the block before)."""

    started_at_s: float
    num_steps: int
    num_samples: int
    data_wait_s: float
    block: Block
    after_stop: bool = False

    @property
    def step_s(self) -> float:
        return self.block.duration_s / self.num_steps

    @cached_property
    def energy_kwh(self) -> float | None:
        total: float | None = preferred(self.block).total_kwh
        return total

    @cached_property
    def counted_kwh(self) -> float | None:
        """What decides when enough is measured: this suite's own reading where there is one (a
        model has no noise, and CodeCarbon's part is known at the end of its task alone)."""
        own: float | None = self.block.own.total_kwh
        return self.energy_kwh if own is None else own

    def reading(self, is_warm_up: bool) -> Reading:
        """As the record keeps it."""
        block = self.block
        use: Use = "dropped" if block.fault else "warm-up" if is_warm_up else "measured"
        return Reading(
            started_at_s=self.started_at_s,
            duration_s=block.duration_s,
            num_steps=self.num_steps,
            num_samples=self.num_samples,
            energy=block.energy,
            own=block.own,
            use=use,
            reason=block.fault,
            data_wait_s=self.data_wait_s,
            gap_s=block.gap_s,
            watched_kwh=None if block.watched_j is None else block.watched_j / J_PER_KWH,
            board=block.state,
        )


def append(rows: list[Row], row: Row) -> None:
    """A counter that stood still throughout a block did so in a part of the one before, and what it
    then catches up with is in the one after: neither can be believed."""
    last = rows[-1] if rows else None
    if last is not None and not last.block.fault and row.block.fault == STOOD_STILL:
        rows[-1] = with_block(last, replace(last.block, fault=BESIDE_STOOD_STILL))
    if last is not None and last.block.fault == STOOD_STILL and not row.block.fault:
        row = with_block(row, replace(row.block, fault=BESIDE_STOOD_STILL))
    rows.append(row)


def num_warm_up(
    rows: Sequence[Row], num_sizing: int, settings: MeterSettings, period_s: float
) -> int:
    """How many leading blocks are warm-up; the first, which holds the first step, always is in
    `adaptive`. num_sizing: of those, blocks shorter than they should be, while their length was
    being found."""
    if settings.mode != "adaptive":
        return 1 if settings.num_warmup_steps and len(rows) > 1 else 0
    usable = [
        (index, row)
        for index, row in enumerate(rows)
        if index >= num_sizing and not row.block.fault
    ]
    if not usable:  # the budget ended while blocks still grew: keep the longest, the last
        return max(min(1, len(rows)), len(rows) - 1)
    energies = [(row.counted_kwh or 0.0) / row.num_samples for _, row in usable]
    durations = [row.block.duration_s / row.num_samples for _, row in usable]
    plausible = [row for _, row in usable]
    cut = warmup_length(energies)
    if _is_within_tick(plausible, cut, period_s):
        cut = 0
    cut = max(cut, warmup_length(durations), num_colder(plausible))
    # the first step carries what is loaded, compiled and tried out: seconds on a GPU
    return max(1, usable[cut][0])


def _is_within_tick(rows: Sequence[Row], cut: int, period_s: float) -> bool:
    """Whether the energy of the first `cut` blocks differs from the others' by no more than one
    step of the counter."""
    head, rest = rows[:cut], rows[cut:]
    if not head or any(row.block.own.gpu_kwh is None for row in rows):
        return False
    num_samples = sum(row.num_samples for row in rest)
    rest_kwh = sum(row.counted_kwh or 0.0 for row in rest)
    power_kw = rest_kwh / sum(row.block.duration_s for row in rest) * SECONDS_PER_HOUR
    expected_kwh = rest_kwh / num_samples * sum(row.num_samples for row in head)
    apart_kwh = abs(sum(row.counted_kwh or 0.0 for row in head) - expected_kwh)
    return apart_kwh <= ONE_TICK * power_kw * period_s / SECONDS_PER_HOUR


def num_colder(rows: Sequence[Row]) -> int:
    """Leading blocks in which the boards were further than `SAME_C` from the temperature they had
    at last; at most half of all, and none where they hardly warmed up or cooled down."""
    celsius = [None if row.block.state is None else row.block.state.temperature_c for row in rows]
    known = [degrees for degrees in celsius if degrees is not None]
    if len(known) < max(NUM_LAST, len(rows)) or max(known) - min(known) <= SAME_C:
        return 0
    smooth = [
        sum(known[index : index + NUM_LAST]) / NUM_LAST
        for index in range(len(known) - NUM_LAST + 1)
    ]
    apart = [index for index, one in enumerate(smooth) if abs(one - smooth[-1]) > SAME_C]
    return min(apart[-1] + 1, len(rows) // 2) if apart else 0


def unexplained_s(rows: Sequence[Row], num_sizing: int, cut: int) -> float:
    """Seconds of the warm-up in which power or speed were others, where the boards' temperature
    does not explain it; else 0. cut: what `num_warm_up` says."""
    usable = [row for row in rows[num_sizing:] if not row.block.fault]
    num_apart = sum(not row.block.fault for row in rows[num_sizing:cut])
    if not num_apart or num_apart <= num_colder(usable):
        return 0.0
    return sum(row.block.duration_s for row in usable[:num_apart])


def measured(rows: Sequence[Row], cut: int) -> list[Row]:
    """Those that count: after the warm-up, and plausible."""
    return [row for row in rows[cut:] if not row.block.fault]


def counted_interval(rows: Sequence[Row], confidence: float, period_s: float) -> Interval | None:
    """Of the energy per sample that decides when enough is measured, kWh. period_s: how often the
    GPUs' counters move."""
    return _interval([row.counted_kwh for row in rows], rows, confidence, _tick(rows, period_s))


def energy_interval(
    rows: Sequence[Row], confidence: float, period_s: float, *, is_chosen: bool
) -> Interval | None:
    """Of the energy per sample with all components, kWh. is_chosen: see `StoppingRule`."""
    kwh = [row.energy_kwh for row in rows]
    return _interval(kwh, rows, confidence, _tick(rows, period_s), is_chosen)


def duration_interval(rows: Sequence[Row], confidence: float) -> Interval | None:
    """Of the seconds per sample."""
    return _interval([row.block.duration_s for row in rows], rows, confidence)


def _tick(rows: Sequence[Row], period_s: float) -> float:
    """Standard deviation, kWh, of one reading of a counter that moves every `period_s`."""
    gpu_kwh = [row.block.own.gpu_kwh for row in rows]
    known = [kwh for kwh in gpu_kwh if kwh is not None]
    if not known or len(known) < len(rows):
        return 0.0
    power = sum(known) / sum(row.block.duration_s for row in rows)
    return power * period_s / math.sqrt(12)


def num_chains(rows: Sequence[Row]) -> int:
    """How many runs of blocks follow each other without a stop."""
    return 1 + sum(row.after_stop for row in rows[1:])


def measured_power_kw(rows: Sequence[Row]) -> float | None:
    """Mean power with all components; None where some energy is not known."""
    known = [row.energy_kwh for row in rows if row.energy_kwh is not None]
    duration_s = sum(row.block.duration_s for row in rows)
    return sum(known) / duration_s * 3600 if len(known) == len(rows) and duration_s else None


def _interval(
    amounts: Sequence[float | None],
    rows: Sequence[Row],
    confidence: float,
    tick: float = 0.0,
    is_chosen: bool = True,
) -> Interval | None:
    known = [
        (amount, row.num_samples, row.after_stop)
        for amount, row in zip(amounts, rows, strict=True)
        if amount is not None
    ]
    values, samples, after_stop = zip(*known, strict=True) if known else ((), (), ())
    return rate_interval(values, samples, confidence, tick, after_stop, is_chosen)


def with_block(row: Row, block: Block) -> Row:
    return replace(row, block=block)
