"""The noise of a sum of blocks, from what their residuals do at low frequencies, and what of it the
readings of a counter add.

Equal-weighted cosines (Lazarus, Lewis, Stock and Watson 2018, "HAR inference: recommendations for
practice", Journal of Business & Economic Statistics 36:4): the mean square of the first cosine
transforms of the residuals estimates the variance of their sum, with as many degrees of freedom as
cosines. The fewer, the lower are the frequencies, and the less of what comes and goes is noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from metering.quantiles import f_ratio

if TYPE_CHECKING:
    import numpy as np

FEWEST, BLOCKS_PER_COSINE = (4, 6), 3  # at least and at most; between these
MOST, BLOCKS_OF_MOST = 12, 6  # where the spectrum is flat
# where the spectrum is not flat: the fewest cosines' mean square is over so many times that of the
# others, or the others' is larger, with this confidence
RISES, PEAK_CONFIDENCE = 2.0, 0.9
READ_BLOCKS = 20  # from so many on, blocks and their neighbours show what a counter's readings are
NUM_LAGS = 4  # neighbouring blocks whose sums show what a reading is
MOST_READ = 0.2  # of the variance, where more is the readings' the fewest cosines are used
LEAST_REST, LEAST_DEGREES = 0.05, 3  # of the variance, and of freedom, without the readings'


@dataclass(frozen=True)
class NoiseOfSum:
    """variance: of the sum of blocks, without what readings add to it; degrees: of freedom, from
    which it is known; reading: variance of one reading."""

    variance: float
    degrees: float
    reading: float


def noise_of_sum(residuals: Sequence[float], tick: float, begins: Sequence[bool]) -> NoiseOfSum:
    """Of at least two blocks. tick: standard deviation of one reading of a counter that moves in
    steps; 0: none is read. begins: of each block, whether it is the first of a chain, in which
    the reading that ends a block begins the next.

    From `READ_BLOCKS` blocks on what the readings add at low frequencies is taken off. What is left
    is known from fewer degrees of freedom."""
    count = len(residuals)
    lowest = lowest_cosines(residuals)
    variance = variance_of_sum(residuals, lowest)
    if not tick or count < READ_BLOCKS or not variance:
        # a degree less: neighbours resemble each other on a CPU, and few blocks do not show it
        return NoiseOfSum(variance, max(1, len(lowest) - 1), tick**2)
    readings = noise_of_readings(residuals, lowest, tick, begins)
    few = fewest_cosines(count)
    if readings.in_variance > MOST_READ * variance and len(lowest) > few:
        lowest = lowest[:few]
        variance = variance_of_sum(residuals, lowest)
        readings = noise_of_readings(residuals, lowest, tick, begins)
    rest = max(LEAST_REST, 1 - readings.in_variance / variance) if variance else 1.0
    degrees = max(LEAST_DEGREES, rest * len(lowest))
    return NoiseOfSum(rest * variance, degrees, readings.variance)


@dataclass(frozen=True)
class Readings:
    """variance: of one reading; in_variance: what all readings add to `variance_of_sum`."""

    variance: float
    in_variance: float = 0.0


@lru_cache(16)  # one look asks for the same several times
def cosines(count: int, num_cosines: int) -> np.ndarray:
    """(num_cosines, count), those of the lowest frequencies."""
    import numpy as np

    times = (np.arange(count) + 0.5) / count
    return np.cos(np.pi * np.outer(np.arange(1, num_cosines + 1), times))


def fewest_cosines(count: int) -> int:
    """For so many blocks."""
    least, most = FEWEST
    return min(count - 1, max(least, min(most, count // BLOCKS_PER_COSINE)))


def lowest_cosines(residuals: Sequence[float]) -> np.ndarray:
    """Those over which the spectrum of the residuals is flat: the fewest, or up to `MOST`. A
    spectrum that rises towards zero, or has a peak, is known from the lowest alone."""
    count = len(residuals)
    few = fewest_cosines(count)
    lowest = cosines(count, max(few, min(MOST, count // BLOCKS_OF_MOST)))
    if len(lowest) == few:
        return lowest
    squares = (lowest @ residuals) ** 2
    low, high = squares[:few].mean(), squares[few:].mean()
    most = f_ratio(PEAK_CONFIDENCE, len(lowest) - few, few)
    return lowest if low <= RISES * high and high <= most * low else lowest[:few]


def variance_of_sum(residuals: Sequence[float], lowest: np.ndarray) -> float:
    """Of the residuals, from their noise at frequencies near zero."""
    return 2 * float(((lowest @ residuals) ** 2).sum()) / len(lowest)


def noise_of_readings(
    residuals: Sequence[float], lowest: np.ndarray, tick: float, begins: Sequence[bool]
) -> Readings:
    """What a counter's readings add. tick: standard deviation of a reading of a counter that moves
    regularly, the least; one whose rhythm changes, or that stands still at times, shows more in the
    blocks. begins: whether a block is the first of its chain."""
    # what a reading adds to one block it takes from the next: a covariance of minus its variance
    pairs = zip(residuals, residuals[1:], begins[1:], strict=False)
    products = [before * after for before, after, is_apart in pairs if not is_apart]
    opposed = max(0.0, -sum(products) / len(residuals))
    weight = _weight_of_readings(lowest, begins)
    rest = max(0.0, variance_of_sum(residuals, lowest) - weight * opposed)
    apart = _beyond_growth(residuals, rest / len(residuals)) / 2
    variance = max(tick**2, min(opposed, apart))
    return Readings(variance, weight * min(opposed, variance))


def _beyond_growth(residuals: Sequence[float], variance: float) -> float:
    """By how much the sums of up to `NUM_LAGS` neighbours vary more than noise of its own in each
    block explains, on average. variance: of that noise."""
    import numpy as np

    sums = np.cumsum([0.0, *residuals])
    spread = [((sums[lag:] - sums[:-lag]) ** 2).mean() for lag in range(1, NUM_LAGS + 1)]
    return float(np.mean(spread)) - variance * (NUM_LAGS + 1) / 2


def _weight_of_readings(lowest: np.ndarray, begins: Sequence[bool]) -> float:
    """What readings of variance 1 add to `variance_of_sum`."""
    import numpy as np

    first = np.asarray(begins)
    last = np.append(first[1:], True)
    shared = np.diff(lowest, axis=1)[:, ~first[1:]]
    weights = [float((part**2).sum()) for part in (lowest[:, first], lowest[:, last], shared)]
    return 2 * sum(weights) / len(lowest)
