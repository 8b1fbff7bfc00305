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


def test_it_is_spearmans_with_the_interval_of_fishers_z() -> None:
    generator = np.random.default_rng(0)
    x = pd.Series(generator.normal(size=40))
    y = x + generator.normal(size=40)
    found = rank(x, y)
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    z = math.atanh(found.rho) - 1.959964 / math.sqrt(37)
    assert found.low == pytest.approx(math.tanh(z), abs=1e-6)


def test_three_pairs_have_no_interval_and_no_power() -> None:
    first = pd.Series([1.0, 2.0, 3.0])
    found = rank(first, first)
    assert found.rho == pytest.approx(1) and math.isnan(found.low) and found.power == 0


def test_one_row_stands_for_several() -> None:
    first = pd.Series({"a": 1.0, "b": 2.0, "c": 3.0})
    assert rank(first, first, lambda rows: [row for row in rows if row != "b"]).n == 2


@pytest.mark.parametrize(("n", "power"), [(12, 0.46), (47, 0.98)])
def test_power_is_what_simulation_gives(n: int, power: float) -> None:
    assert Rank(n, 1.0, 1.0, 1.0).power == pytest.approx(power, abs=0.01)
    generator = np.random.default_rng(2)
    z = generator.normal(math.atanh(0.97), 1 / math.sqrt(n - 3), 20_000)
    shown = np.tanh(z - 1.959964 / math.sqrt(n - 3)) > SAME_ORDER
    assert shown.mean() == pytest.approx(power, abs=0.02)
