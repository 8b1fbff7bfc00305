"""Warm-up detection and the interval of a rate, from a window's blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

from metering.low_frequencies import (
    READ_BLOCKS,
    cosines,
    fewest_cosines,
    noise_of_sum,
    variance_of_sum,
)
from metering.quantiles import student_t
from metering.record import Interval

MIN_KEPT = 4  # MSER needs a handful of blocks behind the cut to be meaningful
MAX_BATCH = 5
BLOCKS_PER_BATCH = 6  # the series grows by this many before its batches grow by one
# standard errors by which what is cut must stand out: a batch, single blocks, more than a batch,
# which may be a state of the load, as may be more than `MOST_CUT` of the series
CUT_SIGMAS, COLD_SIGMAS, LONG_CUT_SIGMAS = 3.0, 4.0, 5.0
MOST_CUT = 0.25
CHOSEN_DEGREES = 4  # of freedom, or half of all, of a series that ended where it was narrow


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
        slow = variance_of_sum(residuals, cosines(len(kept), fewest_cosines(len(kept))))
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
    them is their noise at low frequencies (`metering.low_frequencies`): blocks that resemble their
    neighbours add to it, and what comes and goes within a few blocks, be it periodic, cancels in
    their sum and adds nothing. The quantile is Student's t with the degrees of `NoiseOfSum`
    (`benchmarks.metering_coverage` shows how often the interval then holds). Of a counter's
    readings, whose noise is known from all blocks, it is the normal distribution's.

    tick: standard deviation of one reading of a counter that moves in steps. What such a reading
    adds to one block it takes from the next; it remains at the two ends of a chain of blocks. From
    `READ_BLOCKS` blocks on what the readings add to the noise at low frequencies is taken off, and
    what remains at the ends is added; of fewer blocks the interval is at least as wide as that.
    after_stop: of each block, whether it begins with a reading of its own and not with the one that
    ended the block before.
    is_chosen: whether somebody looked at the interval again and again, and ended the series where
    it was narrow: then the degrees are fewer (`CHOSEN_DEGREES`).
    """
    count = len(amounts)
    if count == 0 or sum(samples) == 0:
        return None
    rate = sum(amounts) / sum(samples)
    if count < 2:
        return Interval(rate, None, confidence, count, float(count))
    residuals = [amount - rate * number for amount, number in zip(amounts, samples, strict=True)]
    begins = [True, *(after_stop[1:] if after_stop else [False] * (count - 1))]
    noise = noise_of_sum(residuals, tick, begins)
    degrees = noise.degrees
    if is_chosen:
        degrees = min(degrees, max(CHOSEN_DEGREES, degrees / 2))
    between = student_t(confidence, degrees) * math.sqrt(noise.variance)
    ends = student_t(confidence, math.inf) * math.sqrt(2 * sum(begins) * noise.reading)
    half_width = math.hypot(between, ends) if count >= READ_BLOCKS else max(between, ends)
    return Interval(rate, half_width / sum(samples), confidence, count, degrees + 1)
