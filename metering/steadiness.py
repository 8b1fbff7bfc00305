"""Whether the energy per sample still drifts over the blocks that count: with time, or with the
temperature of the boards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from metering.rows import Row
from metering.statistics import lag1_autocorrelation

MIN_BLOCKS = 12
NUM_BATCHES = 16  # blocks are averaged to about as many: noise between neighbours is no trend
STANDS_OUT = 3.5  # standard errors
MATTERS = 0.005  # of the mean: a change over the blocks that is less is none
WARMER_C = 1.0  # over the blocks that count: less is no change of temperature
THIRDS = 1.5  # a straight line changes so many times as much as between its outer thirds' means
HEAT_MATTERS = 0.003  # as `MATTERS`, of a change that comes with the temperature
SIGMAS = 2.0  # of the energy's dependence on temperature, that must be excluded
MOST_PER_C = 0.01  # of the energy, per degree: leakage and clocks make no board change by more

# of the change over the blocks: half of it parts their mean from their end, and as much again is to
# come where power approaches its final value exponentially
STILL_TO_COME = 1.5


@dataclass(frozen=True)
class Steadiness:
    """change: of the energy per sample over the blocks that count, relative to its mean; why: what
    drifts, or may drift, as words; empty where all is steady. is_shown: the drift stands out from
    the noise; otherwise it can only not be excluded. at_most: what heat can still have changed,
    where that is little enough to be steady."""

    change: float = 0.0
    why: str = ""
    is_shown: bool = False
    at_most: float = 0.0

    @property
    def is_steady(self) -> bool:
        return not self.why


@dataclass(frozen=True)
class _Line:
    """A straight line through points: slope, its standard error, and the mean of y."""

    slope: float
    error: float
    mean: float


def steadiness(rows: Sequence[Row], kept: Sequence[Row]) -> Steadiness:
    """kept: the blocks that count; rows: with those that do not, but for the shortest at the
    start, from which the dependence on temperature is better known."""
    if len(kept) < MIN_BLOCKS:
        return Steadiness()
    heat = _with_temperature(rows, kept)
    return (_with_time(kept) or heat) if heat.is_steady else heat


def _with_time(kept: Sequence[Row]) -> Steadiness | None:
    points = [
        (row.started_at_s + row.block.duration_s / 2, (row.counted_kwh or 0.0) / row.num_samples)
        for row in kept
    ]
    line = _fit(points)
    if line is None:
        return None
    change = line.slope * (points[-1][0] - points[0][0]) / line.mean
    if abs(line.slope) <= STANDS_OUT * line.error or abs(change) < MATTERS:
        return None
    why = f"energy per sample changed by {100 * change:+.1f} % over the measured blocks"
    return Steadiness(change, why, is_shown=True)


def _with_temperature(rows: Sequence[Row], kept: Sequence[Row]) -> Steadiness:
    """Temperature lags behind power and is read without noise, so it shows a slow change long
    before the energy does."""
    celsius = [row.block.state.temperature_c for row in kept if row.block.state is not None]
    known = [degrees for degrees in celsius if degrees is not None]
    if len(known) < len(kept):
        return Steadiness()
    third = len(known) // 3
    warmer_c = THIRDS * (fmean(known[-third:]) - fmean(known[:third]))
    if abs(warmer_c) < WARMER_C:
        return Steadiness()
    line = _fit(
        [
            (row.block.state.temperature_c, (row.counted_kwh or 0.0) / row.num_samples)
            for row in rows
            if row.block.state is not None and row.block.state.temperature_c is not None
        ]
    )
    if line is None:
        return Steadiness()
    per_c, error = line.slope / line.mean, line.error / line.mean
    change = max(-MOST_PER_C, min(MOST_PER_C, per_c)) * warmer_c
    at_most = min(MOST_PER_C, abs(per_c) + SIGMAS * error) * abs(warmer_c)
    if at_most < HEAT_MATTERS:
        return Steadiness(at_most=at_most)
    why = (
        f"the boards' temperature changed by {warmer_c:+.1f} C over the measured blocks, and "
        f"energy per sample with it by {100 * change:+.1f} %, at most {100 * at_most:.1f} %"
    )
    is_shown = abs(per_c) > SIGMAS * error and abs(change) > HEAT_MATTERS
    return Steadiness(change, why, is_shown)


def _fit(points: Sequence[tuple[float, float]]) -> _Line | None:
    """Least squares over batches of neighbours; the error allows for residuals that are correlated
    (as in `statistics.rate_interval`). None where it is not defined."""
    size = max(1, len(points) // NUM_BATCHES)
    starts = range(len(points) % size, len(points), size)
    batches = [points[start : start + size] for start in starts]
    xs = [fmean(x for x, _ in batch) for batch in batches]
    ys = [fmean(y for _, y in batch) for batch in batches]
    if len(xs) < 4:
        return None
    x_mean, y_mean = fmean(xs), fmean(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    if spread == 0 or y_mean <= 0:
        return None
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / spread
    residuals = [y - y_mean - slope * (x - x_mean) for x, y in zip(xs, ys, strict=True)]
    variance = sum(value * value for value in residuals) / (len(xs) - 2)
    correlation = lag1_autocorrelation(residuals)
    inflation = (1 + correlation) / (1 - correlation)
    return _Line(slope, math.sqrt(variance * inflation / spread), y_mean)
