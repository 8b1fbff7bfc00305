"""The interval of what is still to come holds, and is no wider than it must be."""

from __future__ import annotations

import math
import random
from statistics import median, stdev

import numpy as np
import pytest
from scipy.stats import t

from analysis.estimates import forecast
from analysis.estimates.forecast import ar1_half_width, prediction_half_width
from metering.statistics import rate_interval

TRIALS = 200
AT_LEAST = 181
"""Of 200 at 95 %: 180 or fewer come by chance less than once in 300 (binomial)."""


def ar1(draw: random.Random, num_blocks: int, correlation: float) -> list[float]:
    """Blocks of 1 kWh with 5 % noise that resembles its predecessor."""
    noise, values = draw.gauss(0, 1), []
    for _ in range(num_blocks):
        values.append(1 + 0.05 * noise)
        noise = correlation * noise + math.sqrt(1 - correlation**2) * draw.gauss(0, 1)
    return values


def num_held(correlation: float, num_first: int, num_further: int) -> int:
    """Of `TRIALS` seeded runs, those whose later mean lies within the interval of the first."""
    draw, held = random.Random(0), 0
    for _ in range(TRIALS):
        values = ar1(draw, num_first + num_further, correlation)
        first, rest = values[:num_first], values[num_first:]
        half_width = prediction_half_width(first, [1] * num_first, num_further)
        held += abs(sum(first) / num_first - sum(rest) / num_further) <= half_width
    return held


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
@pytest.mark.parametrize(("num_first", "num_further"), [(4, 16), (12, 48), (40, 160)])
def test_intervals_hold_however_much_blocks_resemble_each_other(
    correlation: float, num_first: int, num_further: int
):
    assert num_held(correlation, num_first, num_further) >= AT_LEAST


def test_a_short_rest_has_noise_of_its_own():
    """A confidence interval of the first 40 blocks would hold 2 further ones about once in 3."""
    assert num_held(0.0, 40, 2) >= AT_LEAST


def test_with_blocks_enough_independent_noise_costs_little_more_than_knowing_it():
    """Beside the interval of one who knows that the noise is independent, over 50 runs."""
    draw, ratios = random.Random(1), []
    for _ in range(50):
        first = ar1(draw, 60, 0.0)
        known = t.ppf(0.975, 59) * stdev(first) * math.sqrt(1 / 60 + 1 / 240)
        ratios.append(prediction_half_width(first, [1] * 60, 240) / known)
    assert 1 <= median(ratios) <= 1.7


@pytest.mark.parametrize("num_further", [10, 160])
def test_it_is_never_narrower_than_the_meters_own_interval_and_the_noise_to_come(num_further: int):
    draw = random.Random(5)
    for _ in range(20):
        first = ar1(draw, 40, 0.0)
        interval = rate_interval(first, [1] * 40, 0.95)
        assert interval is not None and interval.half_width is not None
        least = interval.half_width * math.sqrt(1 + 40 / num_further)
        assert prediction_half_width(first, [1] * 40, num_further) >= least * (1 - 1e-9)


def test_for_one_correlation_it_is_what_the_covariance_matrix_says(monkeypatch):
    """The best linear prediction with an unknown mean and scale (kriging), r = 0.6."""
    count, num_further, r = 6, 9, 0.6
    first = np.array([1.0, 1.01, 0.99, 1.02, 1.04, 1.08])
    monkeypatch.setattr(forecast, "CORRELATIONS", np.array([r]))
    half_width = ar1_half_width(first, num_further)

    at = np.arange(count + num_further)
    covariance = r ** np.abs(at[:, None] - at)
    inverse = np.linalg.inv(covariance[:count, :count])
    ones = np.ones(count)
    information = ones @ inverse @ ones
    mean = ones @ inverse @ first / information
    to_mean = covariance[:count, count:].mean(axis=1) @ inverse
    centre = mean + to_mean @ (first - mean)
    variance = covariance[count:, count:].mean() - to_mean @ covariance[:count, count:].mean(axis=1)
    variance += (1 - to_mean @ ones) ** 2 / information
    scale = math.sqrt(variance * (first - mean) @ inverse @ (first - mean) / (count - 1))
    later = t(count - 1, loc=centre, scale=scale)
    assert later.cdf(first.mean() + half_width) - later.cdf(
        first.mean() - half_width
    ) == pytest.approx(0.95)


def test_blocks_that_resemble_each_other_say_less():
    """The same values in rising order, as a drift would bring them."""
    shuffled = ar1(random.Random(2), 30, 0.0)
    half_widths = [prediction_half_width(v, [1] * 30, 120) for v in (shuffled, sorted(shuffled))]
    assert half_widths[1] > 3 * half_widths[0]


def test_equal_blocks_leave_nothing_open():
    assert prediction_half_width([0.01] * 10, [10] * 10, 400) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_the_unit_does_not_matter(factor: float):
    first = ar1(random.Random(3), 10, 0.5)
    half_width = prediction_half_width(first, [10] * 10, 400)
    scaled = prediction_half_width([factor * value for value in first], [10] * 10, 400)
    assert scaled == pytest.approx(factor * half_width)


def test_it_is_per_step_whatever_a_block_holds():
    first = ar1(random.Random(4), 10, 0.5)
    by_ten = prediction_half_width(first, [10] * 10, 400)
    assert prediction_half_width(first, [1] * 10, 40) == pytest.approx(10 * by_ten)
