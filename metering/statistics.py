"""Warm-up detection and the interval of a rate, from a window's blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from metering.record import Interval

MIN_KEPT = 4  # MSER needs a handful of blocks behind the cut to be meaningful
MAX_BATCH = 5
BLOCKS_PER_BATCH = 6  # the series grows by this many before its batches grow by one
CUT_SIGMAS = 4.0
NUM_FEW_BATCHES = 4  # of a short series
NUM_BATCHES = 8  # of a long one: twice as many blocks and more
MIN_REST = 0.6  # of the variance, that is never taken for tick


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


@dataclass(frozen=True)
class Tick:
    """Noise of a counter that moves in steps, read at the edges of blocks: what one block gains its
    neighbour loses. sigma: standard deviation of one reading, in the unit of the amounts;
    num_chains: how many runs of blocks share edges; a block alone is one."""

    sigma: float
    num_chains: int


def rate_interval(
    amounts: Sequence[float], samples: Sequence[int], confidence: float, tick: Tick | None = None
) -> Interval | None:
    """The rate sum(amounts) / sum(samples) with its confidence interval; None without blocks.

    A ratio estimator (Cochran 1977, section 6.4): its variance comes from the residuals
    amount - rate x samples, so that blocks of different length weigh as they should. A long series
    is averaged in `NUM_BATCHES` batches (Schmeiser 1982, "Batch size effects in the analysis of
    simulation output", Operations Research 30:3): what comes and goes within a batch, be it
    periodic, is no noise of their mean. Positive autocorrelation r of successive residuals leaves
    n (1 - r) / (1 + r) effective ones (AR(1)); the quantile is Student's t on them. r of a short
    series says too little about slow drift, so there the half-width is at least that of
    `NUM_FEW_BATCHES` batches.

    tick: a counter's step adds the same to one block as it takes from the next, which is no noise
    of their sum: it is taken out of the residuals' variance and autocovariance, and added at the
    two ends of each chain of blocks.
    """
    count = len(amounts)
    if count == 0 or sum(samples) == 0:
        return None
    rate = sum(amounts) / sum(samples)
    if count < 2:
        return Interval(rate, None, confidence, count, float(count))
    residuals = [amount - rate * number for amount, number in zip(amounts, samples, strict=True)]
    batches = _batch_sums(residuals, NUM_BATCHES) if count >= 2 * NUM_BATCHES else residuals
    variance, correlation, ends = _noise(batches, tick)
    effective = max(2.0, len(batches) * (1 - correlation) / (1 + correlation))
    # of the sum of all residuals
    error = math.sqrt(len(batches) ** 2 * variance / effective + ends)
    half_width = _student_t(confidence, effective - 1) * error
    if len(batches) == count:
        half_width = max(half_width, _few_half_width(residuals, confidence))
    blocks = effective * count / len(batches)
    return Interval(rate, half_width / sum(samples), confidence, count, blocks)


def _batch_sums(values: Sequence[float], number: int) -> list[float]:
    """Sums of about equal numbers of neighbours; the first batches take what is left over."""
    size, more = divmod(len(values), number)
    sums, start = [], 0
    for batch in range(number):
        end = start + size + (batch < more)
        sums.append(sum(values[start:end]))
        start = end
    return sums


def _noise(residuals: Sequence[float], tick: Tick | None) -> tuple[float, float, float]:
    """Variance and lag-1 autocorrelation of what is no tick, and the variance of the sum that the
    ticks at the ends of the chains make."""
    count = len(residuals)
    variance = sum(value * value for value in residuals) / (count - 1)
    correlation = lag1_autocorrelation(residuals)
    if tick is None or tick.num_chains > count / 2:
        return variance, correlation, 0.0
    of_ticks = 2 * tick.sigma**2
    if variance <= of_ticks * max(0.3, 1 - 2 * math.sqrt(2 / count)):
        return variance, correlation, 0.0  # steps keep time with the counter: it adds no noise
    rest = max(variance - of_ticks, MIN_REST * variance)
    covariance = sum(a * b for a, b in itertools.pairwise(residuals)) / (count - 1)
    shared = (count - tick.num_chains) / count
    correlation = (covariance + tick.sigma**2 * shared) / rest + 1 / count
    return rest, min(0.95, max(0.0, correlation)), of_ticks * tick.num_chains


def _few_half_width(residuals: Sequence[float], confidence: float) -> float:
    """Half-width of the sum of residuals from a few long batches; 0 while one would be a single
    block. The first blocks are left over: drift shows in the batches that are complete."""
    size = len(residuals) // NUM_FEW_BATCHES
    if size < 2:
        return 0.0
    left_over = len(residuals) % NUM_FEW_BATCHES
    sums = _batch_sums(residuals[left_over:], NUM_FEW_BATCHES)
    middle = sum(sums) / NUM_FEW_BATCHES
    variance = sum((one - middle) ** 2 for one in sums) / (NUM_FEW_BATCHES - 1)
    scale = len(residuals) / (len(residuals) - left_over)
    error = math.sqrt(variance * NUM_FEW_BATCHES) * scale
    return _student_t(confidence, NUM_FEW_BATCHES - 1) * error


def _student_t(confidence: float, degrees: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))
