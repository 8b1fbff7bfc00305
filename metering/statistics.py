"""Warm-up detection and the interval of a rate, from a window's blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from typing import TYPE_CHECKING

from metering.record import Interval

if TYPE_CHECKING:
    import numpy as np

MIN_KEPT = 4  # MSER needs a handful of blocks behind the cut to be meaningful
MAX_BATCH = 5
BLOCKS_PER_BATCH = 6  # the series grows by this many before its batches grow by one
# standard errors by which what is cut must stand out: a batch, single blocks, more than a batch,
# which may be a state of the load, as may be more than `MOST_CUT` of the series
CUT_SIGMAS, COLD_SIGMAS, LONG_CUT_SIGMAS = 3.0, 4.0, 5.0
MOST_CUT = 0.25
NUM_COSINES = (4, 6)  # at least and at most: the fewer, the lower the frequencies, and the wider
BLOCKS_PER_COSINE = 3  # between these
MOST_DEGREES = 4  # of freedom
TICK_BLOCKS = 20  # from so many on, their neighbours show what a counter's tick is to them
MOSTLY = 0.5  # of their noise at low frequencies, that is the tick's where it is taken off


def warmup_length(values: Sequence[float]) -> int:
    """How many leading blocks are warm-up, by MSER-k.

    MSER (White 1997, "An effective truncation heuristic for bias reduction in simulation
    output", Simulation 69:6) cuts at the d that minimises s2(d) / (n - d): the squared
    standard error of what is kept. Long series are first averaged in batches of up to five
    (MSER-5: White, Cobb and Spratt 2000, "A comparison of five steady-state truncation
    heuristics for simulation", Winter Simulation Conference): the noise of a counter that moves
    in steps cancels between neighbours, so batches show the trend and not the noise. d is at
    most a quarter of the series (`MOST_CUT`), and at least `MIN_KEPT` batches are kept; with fewer
    nothing is cut.

    MSER takes noise and slow drift for warm-up too, and what it then keeps is the calmest stretch,
    whose interval is too narrow: what is cut must stand out from the rest (`CUT_SIGMAS`, or
    `LONG_CUT_SIGMAS` where it is more than a batch). Else the leading blocks of the first batch are
    cut that stand out one by one.
    """
    size = max(1, min(MAX_BATCH, len(values) // BLOCKS_PER_BATCH))
    starts = range(0, len(values) - size + 1, size)
    batches = [sum(values[start : start + size]) / size for start in starts]
    most = math.floor(MOST_CUT * len(values)) // size
    cut = size * _mser(batches, most)
    sigmas = LONG_CUT_SIGMAS if cut > MAX_BATCH else CUT_SIGMAS
    if cut and _stands_out(values[:cut], values[cut:], sigmas):
        return cut
    # a block or two that are cold do not show in the mean of a batch
    cold = 0
    while cold < size <= len(values) - MIN_KEPT and _stands_out(
        values[cold : cold + 1], values[cold + 1 :], COLD_SIGMAS
    ):
        cold += 1
    return cold


def _stands_out(head: Sequence[float], kept: Sequence[float], sigmas: float) -> bool:
    """Whether the means differ by more than the noise, and the drift, of what is kept explain."""
    mean = sum(kept) / len(kept)
    residuals = [value - mean for value in kept]
    correlation = lag1_autocorrelation(residuals)
    variance = sum(map(mul, residuals, residuals)) / (len(kept) - 1)
    variance *= (1 + correlation) / (1 - correlation)
    if len(head) > MAX_BATCH:
        # a counter's ticks hide how much neighbours resemble each other, but not at low frequencies
        slow = _low_frequencies(residuals, _cosines(len(kept), _num_cosines(len(kept))))
        variance = max(variance, slow / len(kept))
    noise = math.sqrt(variance * (1 / len(head) + 1 / len(kept)))
    rounding = 1e-12 * abs(mean)
    return abs(sum(head) / len(head) - mean) > sigmas * noise + rounding


def _mser(values: Sequence[float], most: int) -> int:
    count = len(values)
    last = min(most, count - MIN_KEPT)
    if last <= 0:
        return 0
    origin = sum(values) / count  # near the values, so that differences of squares keep digits
    kept, total, squares = 0, 0.0, 0.0
    errors: list[float] = []
    for index in range(count - 1, -1, -1):
        value = values[index] - origin
        kept, total, squares = kept + 1, total + value, squares + value * value
        if index <= last:
            errors.append(max(0.0, squares - total * total / kept) / kept**2)
    best, best_error = 0, math.inf
    noise = (1e-12 * max(map(abs, values))) ** 2  # what rounding makes of equal values
    for cut, error in enumerate(reversed(errors)):
        if error < best_error * (1 - 1e-9) - noise:
            best, best_error = cut, error
    return best


def lag1_autocorrelation(residuals: Sequence[float]) -> float:
    """Lag-1 autocorrelation, clamped to [0, 0.95], with the 1/n bias of short series added back
    (Kendall 1954)."""
    total = sum(map(mul, residuals, residuals))
    if total == 0 or len(residuals) < 3:
        return 0.0
    products = sum(map(mul, residuals, residuals[1:]))
    return min(0.95, max(0.0, products / total + 1 / len(residuals)))


def rate_interval(
    amounts: Sequence[float],
    samples: Sequence[int],
    confidence: float,
    tick: float = 0.0,
    after_stop: Sequence[bool] = (),
    is_chosen: bool = True,
) -> Interval | None:
    """The rate sum(amounts) / sum(samples) with its confidence interval; None without blocks.

    A ratio estimator (Cochran 1977, section 6.4): its variance comes from the residuals
    amount - rate x samples, so that blocks of different length weigh as they should. What counts of
    them is their noise at low frequencies, the mean square of their first cosine transforms
    (equal-weighted cosines: Lazarus, Lewis, Stock and Watson 2018, "HAR inference: recommendations
    for practice", Journal of Business & Economic Statistics 36:4): blocks that resemble their
    neighbours add to it, and what comes and goes within a few blocks, be it periodic, cancels in
    their sum and adds nothing. The quantile is Student's t; its degrees are one fewer than the
    cosines (`benchmarks.metering_coverage` shows how often the interval then holds). Of the ticks,
    whose size is known, it is the normal distribution's.

    tick: standard deviation of one reading of a counter that moves in steps. What such a reading
    adds to one block it takes from the next; it remains at the two ends of a chain of blocks, and
    the interval allows for that at least. Where most of the noise is the tick's, as neighbours show
    by differing in opposite directions, its part is taken off and what remains at the ends is
    added (from `TICK_BLOCKS` blocks on).
    after_stop: of each block, whether it begins with a reading of its own and not with the one that
    ended the block before.
    is_chosen: whether somebody looked at the interval again and again, and ended the series where
    it was narrow: then the degrees are `MOST_DEGREES` at most.
    """
    count = len(amounts)
    if count == 0 or sum(samples) == 0:
        return None
    rate = sum(amounts) / sum(samples)
    if count < 2:
        return Interval(rate, None, confidence, count, float(count))
    residuals = [amount - rate * number for amount, number in zip(amounts, samples, strict=True)]
    num_cosines = _num_cosines(count)
    begins = [True, *(after_stop[1:] if after_stop else [False] * (count - 1))]
    cosines = _cosines(count, num_cosines)
    variance, at_ends = _low_frequencies(residuals, cosines), 2 * sum(begins) * tick**2
    of_ticks = _of_ticks(residuals, cosines, tick, begins) if count >= TICK_BLOCKS else 0.0
    is_tick_apart = of_ticks > MOSTLY * variance
    if is_tick_apart:
        variance = max(0.0, variance - of_ticks)
    effective = max(2, min(num_cosines, MOST_DEGREES + 1) if is_chosen else num_cosines)
    noise = student_t(confidence, effective - 1) * math.sqrt(variance)
    ends = student_t(confidence, math.inf) * math.sqrt(at_ends)
    half_width = math.hypot(noise, ends) if is_tick_apart else max(noise, ends)
    return Interval(rate, half_width / sum(samples), confidence, count, float(effective))


def _num_cosines(count: int) -> int:
    least, most = NUM_COSINES
    return min(count - 1, max(least, min(most, count // BLOCKS_PER_COSINE)))


def _cosines(count: int, num_cosines: int) -> np.ndarray:
    """(num_cosines, count), those of the lowest frequencies."""
    import numpy as np

    times = (np.arange(count) + 0.5) / count
    return np.cos(np.pi * np.outer(np.arange(1, num_cosines + 1), times))


def _low_frequencies(residuals: Sequence[float], cosines: np.ndarray) -> float:
    """Variance of their sum, from their noise at frequencies near zero."""
    return 2 * float(((cosines @ residuals) ** 2).sum()) / len(cosines)


def _of_ticks(
    residuals: Sequence[float], cosines: np.ndarray, tick: float, begins: Sequence[bool]
) -> float:
    """Of `_low_frequencies`, what a counter's ticks add. begins: whether a block is the first of
    its chain."""
    import numpy as np

    # independent noise of readings gives neighbours a covariance of minus its variance
    covariance = sum(map(mul, residuals, residuals[1:])) / len(residuals)
    first = np.asarray(begins)
    last = np.append(first[1:], True)
    shared = np.diff(cosines, axis=1)[:, ~first[1:]]
    weights = [float((part**2).sum()) for part in (cosines[:, first], cosines[:, last], shared)]
    return 2 * sum(weights) * min(max(0.0, -covariance), tick**2) / len(cosines)


def student_t(confidence: float, degrees: float) -> float:
    """Its two-sided quantile; of infinite degrees the normal distribution's."""
    from scipy.special import ndtri, stdtrit

    level = 0.5 + confidence / 2
    return float(ndtri(level) if math.isinf(degrees) else stdtrit(degrees, level))


def chi_square(share: float, degrees: float) -> float:
    """Below which a share of it lies."""
    from scipy.special import chdtri

    return float(chdtri(degrees, 1 - share))
