"""Intervals over runs hold as often as they say, however many runs there are."""

from __future__ import annotations

import math

import pytest
from scipy.stats import t as student

from analysis.estimates.between_runs import (
    ALIKE,
    TOO_FEW_BLOCKS,
    Spread,
    pooled_spread,
    rate_over_runs,
)
from analysis.records.confidence import at_95
from benchmarks.run_spread import held

TRIALS = 400
AT_LEAST = 366 / TRIALS
"""Of 400 at 95 %: 365 or fewer come by chance about once in 1,000 (binomial)."""


@pytest.mark.parametrize("between_sd", [0.0, 0.02, 0.03])
@pytest.mark.parametrize("num_runs", [2, 3, 5, 10])
def test_the_interval_over_runs_holds_as_often_as_it_says(num_runs: int, between_sd: float):
    assert held(num_runs, between_sd, num_setups=1, trials=TRIALS).over_runs >= AT_LEAST


@pytest.mark.parametrize("between_sd", [0.0, 0.02, 0.03])
@pytest.mark.parametrize("num_runs", [1, 2])
def test_so_it_does_where_the_spread_is_pooled_over_other_set_ups(num_runs: int, between_sd: float):
    assert held(num_runs, between_sd, num_setups=6, trials=TRIALS).over_runs >= AT_LEAST


def test_the_runs_own_intervals_would_hold_too_seldom():
    assert held(2, 0.03, num_setups=1, trials=TRIALS).within_runs < 0.7


def test_the_spread_is_pooled_with_its_degrees_of_freedom():
    spread = pooled_spread([[0.99, 1.01], [2.0 * 0.98, 2.0, 2.0 * 1.02], [5.0]])
    assert spread is not None
    assert (spread.degrees, spread.num_setups) == (3, 2)
    assert spread.relative_sd == pytest.approx(math.sqrt((2e-4 + 8e-4) / 3))


def test_with_a_pooled_spread_two_runs_are_surer_than_one():
    spread = Spread(0.02, degrees=10, num_setups=5)
    one = rate_over_runs([1.0], [0.01], spread).half_width
    two = rate_over_runs([0.99, 1.01], [0.01, 0.01], spread).half_width
    assert one is not None and two is not None
    assert one == pytest.approx(math.hypot(0.01, student.ppf(0.975, 10) * 0.02))
    assert two == pytest.approx(student.ppf(0.975, 10) * 0.02 / math.sqrt(2))
    assert two < one


def test_a_lone_run_where_nothing_was_repeated_says_so():
    rate = rate_over_runs([1.0], [0.01], None)
    assert (rate.half_width, rate.basis) == (0.01, "within this run")


def test_a_coarse_measurement_is_not_made_sure_by_precise_ones_elsewhere():
    rate = rate_over_runs([0.9, 1.1], [0.3, 0.3], Spread(0.001, 50, 10))
    assert rate.half_width == pytest.approx(0.3 / math.sqrt(2))


def test_a_lone_run_without_an_interval_has_none():
    assert rate_over_runs([1.0], [None], Spread(0.02, 9, 3)).half_width is None


def test_every_interval_is_brought_to_95_percent():
    at_99 = student.ppf(0.995, 11) * 0.01
    assert at_95(at_99, 0.99, 12.0) == pytest.approx(student.ppf(0.975, 11) * 0.01)
    assert at_95(1.644854, 0.90, None) == pytest.approx(1.959964, rel=1e-5)
    assert at_95(0.5, 0.95, None) == 0.5


@pytest.mark.parametrize(
    ("half_widths", "half_width", "basis", "why"),
    [
        ([0.0, 0.0], None, "none", ALIKE),
        ([0.01, 0.01], 0.01 / math.sqrt(2), "within this run", ""),
        ([None, None], None, "none", TOO_FEW_BLOCKS),
    ],
)
def test_runs_alike_to_the_last_digit_show_no_spread_and_no_exact_number(
    half_widths: list[float | None], half_width: float | None, basis: str, why: str
) -> None:
    rates = [1.0, 1.0]
    assert pooled_spread([rates]) is None
    found = rate_over_runs(rates, half_widths, None)
    assert found.half_width == pytest.approx(half_width)
    assert (found.basis, found.why_none) == (basis, why)


def test_a_run_whose_blocks_are_all_alike_has_no_interval_though_others_were_repeated() -> None:
    """One step of a sensor in every block: its error is not seen, and that is no error of 0."""
    found = rate_over_runs([1.0], [0.0], Spread(0.02, 9, 3))
    assert (found.half_width, found.why_none) == (None, ALIKE)
