"""Power states of a load: levels of the energy per sample that last for seconds, as the blocks show
them. A window that met only a few of them says little of how long each lasts, and the noise between
its blocks at low frequencies says even less: the interval then takes each state as one observation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metering.quantiles import chi_square, student_t
from metering.rows import Row

if TYPE_CHECKING:
    import numpy as np

BATCH_S = 3.0  # blocks are averaged over so long: a counter's ticks hide levels in single blocks
MIN_BATCHES = 12
PER_STATE = 2  # batches, at least: a stall of a second is no state
PENALTY = 20.0  # what one more state must explain, in squared standard errors of a batch
MATTERS = 0.005  # of the mean: levels that differ by less are one
EXPLAINED = 0.6  # of the variance of batches, by states; power that wanders has none
ENOUGH = 20  # states: from so many on their noise at low frequencies says what their mean may be
# lengths vary little: by so much of what chance would do; degrees of freedom to tell; confidence
REGULAR, MIN_DEGREES, CONFIDENT = 0.4, 3, 0.95
NUM_PASSES = 3
# the spread of batches, from a quantile of neighbours' differences: a change is in few of these
QUANTILE, NORMAL_QUANTILE = 0.25, 0.3186
LEAST_NOISE = 0.7  # of the spread in the first pass, in which changes of level are still in it


@dataclass(frozen=True)
class PowerStates:
    """num: how many followed each other; spread: standard deviation between their levels, relative
    to the mean, weighted by time; irregularity: of their lengths, below
    `REGULAR` where states come in turn like clockwork, else 1."""

    num: int = 1
    spread: float = 0.0
    irregularity: float = 1.0

    @property
    def are_few(self) -> bool:
        """More than one, and too few to know from them how long each lasts."""
        return 1 < self.num < ENOUGH

    def half_width(self, confidence: float) -> float:
        """Of the mean's interval, relative, where each of few states is one observation, with as
        many degrees of freedom (`benchmarks.metering_coverage`); else 0."""
        if not self.are_few:
            return 0.0
        one_each = student_t(confidence, self.num) * self.spread / math.sqrt(self.num)
        return self.irregularity * one_each


def power_states(rows: Sequence[Row], period_s: float) -> PowerStates:
    """Of the blocks that count. period_s: how often the GPUs' counters move; 0: none is read."""
    import numpy as np

    if not rows:
        return PowerStates()
    block_s = sum(row.block.duration_s for row in rows) / len(rows)
    size = max(1, round(BATCH_S / block_s))
    if len(rows) // size < MIN_BATCHES:
        return PowerStates()
    used = rows[len(rows) % size :]
    kwh = np.array([row.counted_kwh or 0.0 for row in used])
    samples = np.array([row.num_samples for row in used], dtype=float)
    mean = kwh.sum() / samples.sum()
    if mean <= 0:
        return PowerStates()
    levels = kwh / samples / mean - 1
    tick = period_s / math.sqrt(6) / (size * block_s)
    batches = levels.reshape(-1, size).mean(axis=1)
    bounds = _segments(levels, batches, size, tick)
    means = [float(batches[begin:end].mean()) for begin, end in itertools.pairwise(bounds)]
    lengths = np.diff(bounds)
    spread = math.sqrt(float((lengths * np.square(means)).sum() / lengths.sum()))
    if spread < MATTERS or spread**2 < EXPLAINED * float(batches.var()):
        return PowerStates()
    return PowerStates(len(means), spread, _irregularity([int(one) for one in lengths[1:-1]]))


def _irregularity(lengths: Sequence[int]) -> float:
    """Of the states between the first and the last, by turns: how much wider or narrower the mean's
    interval is than that of lengths that are exponentially distributed (renewal theory: Cox 1962,
    section 7.3), at the upper end of what so few lengths leave open; 1 where that is not little."""
    degrees = len(lengths) - 2
    if degrees < MIN_DEGREES:
        return 1.0
    squares = 0.0
    for turn in (lengths[::2], lengths[1::2]):
        mean = sum(turn) / len(turn)
        squares += sum((one - mean) ** 2 for one in turn) / mean**2
    at_most = math.sqrt(squares / chi_square(1 - CONFIDENT, degrees))
    return at_most if at_most < REGULAR else 1.0


def _segments(levels: np.ndarray, batches: np.ndarray, size: int, tick: float) -> list[int]:
    """Where the batches change their level, with both ends. tick: standard deviation that a
    counter's steps give a batch. The noise is taken from neighbours that no change parts."""
    import numpy as np

    runs = np.convolve(levels, np.ones(size) / size, "valid")
    differences = np.abs(runs[size:] - runs[:-size])
    places = np.arange(len(differences)) + size  # in blocks
    gains = _gains(batches)
    bounds, least = [0, len(batches)], tick
    for attempt in range(NUM_PASSES):
        is_within = np.ones(len(differences), dtype=bool)
        for bound in bounds[1:-1]:
            is_within &= np.abs(places - bound * size) > size
        if is_within.sum() < MIN_BATCHES:
            break
        noise = (
            float(np.quantile(differences[is_within], QUANTILE)) / NORMAL_QUANTILE / math.sqrt(2)
        )
        if not attempt:
            least = max(least, LEAST_NOISE * noise, 1e-6)
        before, bounds = bounds, _best(gains, PENALTY * max(noise, least) ** 2)
        if bounds == before:
            break
    return bounds


def _gains(batches: np.ndarray) -> np.ndarray:
    """[i, j]: by how much a level of its own for the batches from i to j lowers the sum of squares;
    minus infinity where they are too few for a state."""
    import numpy as np

    sums = np.concatenate([[0.0], np.cumsum(batches)])
    lengths = np.arange(len(sums))[None, :] - np.arange(len(sums))[:, None]
    gains = np.full(lengths.shape, -np.inf)
    is_state = lengths >= PER_STATE
    gains[is_state] = (sums[None, :] - sums[:, None])[is_state] ** 2 / lengths[is_state]
    return gains


def _best(gains: np.ndarray, penalty: float) -> list[int]:
    """Bounds of the levels that explain most, each at `penalty` (optimal partitioning: Jackson et
    al. 2005, "An algorithm for optimal partitioning of data on an interval", IEEE Signal Processing
    Letters 12:2)."""
    import numpy as np

    count = len(gains) - 1
    best, begins = np.zeros(count + 1), [0] * (count + 1)
    for end in range(1, count + 1):
        totals = best[:end] + gains[:end, end]
        begins[end] = int(totals.argmax())
        best[end] = totals[begins[end]] - penalty
    bounds = [count]
    while bounds[-1] > 0:
        bounds.append(begins[bounds[-1]])
    return bounds[::-1]
