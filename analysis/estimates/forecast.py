"""How far the mean of further blocks may lie from the mean of those that were measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metering.statistics import rate_interval

CONFIDENCE = 0.95
CORRELATIONS = (np.arange(50) + 0.5) / 50
"""Lag-1 correlations of successive blocks that are thought possible: 0.01 to 0.99."""


def prediction_half_width(
    kwh: Sequence[float], steps: Sequence[int], num_further_steps: int
) -> float:
    """Half-width, kWh per step, of the 95 % prediction interval of the mean rate over
    `num_further_steps`, around the rate of the blocks measured: energies `kwh` (their sum above
    0), two or more.

    The wider of two. (1) The meter's own interval (`metering.statistics.rate_interval`), whose
    variance grows by blocks measured / blocks to come: the further mean has noise of its own
    (prediction interval of a mean of m observations, Meeker, Hahn and Escobar 2017, "Statistical
    Intervals", chapter 4). (2) What an AR(1) process would do from here on (Zellner 1971, "An
    Introduction to Bayesian Inference in Econometrics", chapter 7): a handful of blocks cannot
    tell how much they resemble each other, and a correlation that is estimated and then believed
    gives intervals that hold too seldom; here every one counts by how well it explains the blocks.
    """
    rate = sum(kwh) / sum(steps)
    block_steps = sum(steps) / len(steps)
    num_further = num_further_steps / block_steps
    # in units of a mean block: no energy is too small or too large to be squared
    shares = [block_kwh / (rate * block_steps) for block_kwh in kwh]
    interval = rate_interval(shares, steps, CONFIDENCE)
    assert interval is not None and interval.half_width is not None, "two blocks or more"
    by_meter = interval.half_width * block_steps * (1 + len(kwh) / num_further) ** 0.5
    rates = np.array(shares) / (np.array(steps) / block_steps)
    return rate * max(by_meter, ar1_half_width(rates, max(1, round(num_further))))


def ar1_half_width(values: np.ndarray, num_further: int) -> float:
    """Half-width around the mean of `values` that holds the mean of the next `num_further`
    with probability `CONFIDENCE`, given `values`.

    For one correlation r that mean is Student's t with n - 1 degrees of freedom; over r they are
    mixed by the posterior. Priors: flat for the mean, 1 / s for the scale, and Jeffreys'
    1 / sqrt(1 - r^2), which is the reference prior too (Berger and Yang 1994, "Noninformative
    priors and Bayesian testing for the AR(1) model", Econometric Theory 10:461).
    """
    from scipy.special import stdtr

    count = len(values)
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return 0.0
    r = CORRELATIONS[:, None]
    first = np.sqrt(1 - r * r)  # the first block whitened: it has no predecessor
    ones = np.hstack([first, np.repeat(1 - r, count - 1, axis=1)])
    white = np.hstack([first * values[0], values[1:] - r * values[:-1]])
    information = (ones**2).sum(axis=1)
    mean = (ones * white).sum(axis=1) / information
    squares = ((white - mean[:, None] * ones) ** 2).sum(axis=1)
    # the prior cancels the likelihood's sqrt(1 - r^2)
    log_weight = -0.5 * np.log(information) - 0.5 * (count - 1) * np.log(squares)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()

    r = CORRELATIONS
    powers = _geometric_sum(r, num_further)
    recalled = powers / num_further  # the share of the last block's deviation that stays
    centre = mean + recalled * (values[-1] - mean) - values.mean()
    variance = num_further - 2 * powers + _geometric_sum(r * r, num_further)
    variance = variance / ((1 - r) * num_further) ** 2 + (1 - recalled) ** 2 / information
    scale = np.sqrt(variance * squares / (count - 1))

    low, high = 0.0, float((np.abs(centre) + 1e3 * scale).max())
    for _ in range(60):
        middle = (low + high) / 2
        above = stdtr(count - 1, (middle - centre) / scale)
        below = stdtr(count - 1, (-middle - centre) / scale)
        held = float((weight * (above - below)).sum())
        low, high = (middle, high) if held < CONFIDENCE else (low, middle)
    return high


def _geometric_sum(r: np.ndarray, count: int) -> np.ndarray:
    """r + r^2 + ... + r^count: a later part may have more blocks than memory holds numbers."""
    return r * (1 - r**count) / (1 - r)
