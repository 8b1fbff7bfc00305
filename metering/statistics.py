"""Warm-up detection and the interval of a rate, from a window's blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from metering.record import Interval

MIN_KEPT = 4  # MSER needs a handful of blocks behind the cut to be meaningful
MAX_BATCH = 5
BLOCKS_PER_BATCH = 6  # the series grows by this many before its batches grow by one
CUT_SIGMAS = 4.0
NUM_COSINES = (4, 6)  # at least and at most: the fewer, the lower the frequencies, and the wider
BLOCKS_PER_COSINE = 6  # between these
MOST_DEGREES = 4  # of freedom


def warmup_length(values: Sequence[float]) -> int:
    """How many leading blocks are warm-up, by MSER-k.

    MSER (White 1997, "An effective truncation heuristic for bias reduction in simulation
    output", Simulation 69:6) cuts at the d that minimises s2(d) / (n - d): the squared
    standard error of what is kept. Long series are first averaged in batches of up to five
    (MSER-5: White, Cobb and Spratt 2000, "A comparison of five steady-state truncation
    heuristics for simulation", Winter Simulation Conference): the noise of a counter that moves
    in steps cancels between neighbours, so batches show the trend and not the noise. d is at
    most half of the series, and at least `MIN_KEPT` batches are kept; with fewer nothing is cut.

    MSER takes slow drift for warm-up too, and what it then keeps is the calmest stretch: a cut of
    more than a quarter must stand out from the rest by `CUT_SIGMAS` or nothing is cut.
    """
    size = max(1, min(MAX_BATCH, len(values) // BLOCKS_PER_BATCH))
    starts = range(0, len(values) - size + 1, size)
    batches = [sum(values[start : start + size]) / size for start in starts]
    cut = size * _mser(batches)
    return cut if 4 * cut <= len(values) or _stands_out(values[:cut], values[cut:]) else 0


def _stands_out(head: Sequence[float], kept: Sequence[float]) -> bool:
    """Whether the means differ by more than the noise, and the drift, of what is kept explain."""
    mean = sum(kept) / len(kept)
    residuals = [value - mean for value in kept]
    correlation = lag1_autocorrelation(residuals)
    variance = sum(value * value for value in residuals) / (len(kept) - 1)
    variance *= (1 + correlation) / (1 - correlation)
    noise = math.sqrt(variance * (1 / len(head) + 1 / len(kept)))
    return abs(sum(head) / len(head) - mean) > CUT_SIGMAS * noise


def _mser(values: Sequence[float]) -> int:
    count = len(values)
    last = min(count // 2, count - MIN_KEPT)
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
    total = sum(value * value for value in residuals)
    if total == 0 or len(residuals) < 3:
        return 0.0
    products = sum(a * b for a, b in itertools.pairwise(residuals))
    return min(0.95, max(0.0, products / total + 1 / len(residuals)))


def rate_interval(
    amounts: Sequence[float], samples: Sequence[int], confidence: float, tick: float = 0.0
) -> Interval | None:
    """The rate sum(amounts) / sum(samples) with its confidence interval; None without blocks.

    A ratio estimator (Cochran 1977, section 6.4): its variance comes from the residuals
    amount - rate x samples, so that blocks of different length weigh as they should. What counts of
    them is their noise at low frequencies, the mean square of their first cosine transforms
    (equal-weighted cosines: Lazarus, Lewis, Stock and Watson 2018, "HAR inference: recommendations
    for practice", Journal of Business & Economic Statistics 36:4): blocks that resemble their
    neighbours add to it, and what comes and goes within a few blocks, be it periodic, cancels in
    their sum and adds nothing. The quantile is Student's t; its degrees are one fewer than the
    cosines, and `MOST_DEGREES` at most, for a rule that looks at the interval after every block and
    chooses where the warm-up ends (`benchmarks.metering_coverage` shows how often it then holds).

    tick: standard deviation of one reading of a counter that moves in steps. What such a reading
    adds to one block it takes from the next; it remains at the two ends of the series.
    """
    count = len(amounts)
    if count == 0 or sum(samples) == 0:
        return None
    rate = sum(amounts) / sum(samples)
    if count < 2:
        return Interval(rate, None, confidence, count, float(count))
    residuals = [amount - rate * number for amount, number in zip(amounts, samples, strict=True)]
    least, most = NUM_COSINES
    num_cosines = min(count - 1, max(least, min(most, count // BLOCKS_PER_COSINE)))
    error = math.sqrt(count * _low_frequencies(residuals, num_cosines) + 2 * tick**2)
    effective = max(2, min(num_cosines, MOST_DEGREES + 1))
    half_width = _student_t(confidence, effective - 1) * error
    return Interval(rate, half_width / sum(samples), confidence, count, float(effective))


def _low_frequencies(residuals: Sequence[float], num_cosines: int) -> float:
    """Their variance at frequencies near zero: of white noise, its variance."""
    import numpy as np

    times = (np.arange(len(residuals)) + 0.5) / len(residuals)
    cosines = np.cos(np.pi * np.outer(np.arange(1, num_cosines + 1), times))
    transforms = cosines @ np.asarray(residuals)
    return float(2 * (transforms @ transforms) / len(residuals) / num_cosines)


def _student_t(confidence: float, degrees: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))
