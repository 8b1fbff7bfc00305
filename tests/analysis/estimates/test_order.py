"""Rank agreement with its interval, and what so few pairs could have shown."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.estimates.order import SAME_ORDER, Rank, rank


def test_a_reversed_order_correlates_minus_one() -> None:
    first = pd.Series({"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0})
    assert rank(first, -(first**3)).rho == pytest.approx(-1)
    both = rank(first, pd.Series({"a": 1.0, "b": 2.0, "c": 4.0, "d": 3.0, "e": 9.0}))
    assert both.n == 4 and both.rho == pytest.approx(0.8)


def test_it_is_spearmans_with_the_interval_of_bonett_and_wright() -> None:
    generator = np.random.default_rng(0)
    x = pd.Series(generator.normal(size=40))
    y = x + generator.normal(size=40)
    agreement = rank(x, y)
    assert agreement.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    z = math.atanh(agreement.rho) - 1.959964 * math.sqrt((1 + agreement.rho**2 / 2) / 37)
    assert agreement.low == pytest.approx(math.tanh(z), abs=1e-6)


@pytest.mark.parametrize(("n", "correlation"), [(12, 0.9), (47, 0.96)])
def test_the_interval_holds_the_truth_as_often_as_it_says(n: int, correlation: float) -> None:
    """Of normal pairs, whose rank correlation is known: 6 / pi x asin(correlation / 2)."""
    generator = np.random.default_rng(1)
    noise = math.sqrt(1 - correlation**2)
    truth = 6 / math.pi * math.asin(correlation / 2)
    held = 0
    for _ in range(400):
        x = pd.Series(generator.normal(size=n))
        agreement = rank(x, correlation * x + noise * generator.normal(size=n))
        held += agreement.low <= truth <= agreement.high
    assert held / 400 == pytest.approx(0.95, abs=0.03)


def test_three_pairs_have_no_interval_and_no_power() -> None:
    first = pd.Series([1.0, 2.0, 3.0])
    agreement = rank(first, first)
    assert agreement.rho == pytest.approx(1) and math.isnan(agreement.low) and agreement.power == 0


def test_one_row_stands_for_several() -> None:
    first = pd.Series({"a": 1.0, "b": 2.0, "c": 3.0})
    assert rank(first, first, lambda rows: [row for row in rows if row != "b"]).n == 2


@pytest.mark.parametrize(("n", "power"), [(7, 0.0), (12, 0.22), (47, 0.84)])
def test_power_is_how_often_samples_show_it(n: int, power: float) -> None:
    assert Rank(n, 1.0, 1.0, 1.0).power == pytest.approx(power, abs=0.02)
    generator = np.random.default_rng(2)
    correlation = 2 * math.sin(math.pi * 0.97 / 6)
    shown = 0
    for _ in range(400):
        x = pd.Series(generator.normal(size=n))
        noise = math.sqrt(1 - correlation**2) * generator.normal(size=n)
        shown += rank(x, correlation * x + noise).low > SAME_ORDER
    assert shown / 400 == pytest.approx(power, abs=0.06)


def test_seven_pairs_can_never_show_it() -> None:
    first = pd.Series(range(7), dtype=float)
    assert rank(first, first).low < SAME_ORDER
