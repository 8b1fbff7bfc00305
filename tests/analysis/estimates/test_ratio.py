"""Fieller's interval has the ends that the theorem gives, and covers as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.estimates.ratio import fieller


def test_an_exact_denominator_leaves_the_numerators_interval() -> None:
    assert fieller(6.0, 1.5, 3.0, 0.0) == (pytest.approx(1.5), pytest.approx(2.5))


def test_both_ends_solve_the_theorems_equation() -> None:
    low, high = fieller(10.0, 2.0, 5.0, 1.0) or (0.0, 0.0)
    for ratio in (low, high):
        assert abs(10.0 - 5.0 * ratio) == pytest.approx(np.hypot(2.0, 1.0 * ratio))
    assert high - 2.0 > 2.0 - low, "the interval is not symmetric"


def test_a_denominator_that_may_be_zero_has_no_interval() -> None:
    assert fieller(10.0, 1.0, 1.0, 1.0) is None


def test_it_covers_95_percent() -> None:
    generator, z = np.random.default_rng(1), stats.norm.ppf(0.975)
    numerators, denominators = generator.normal(3, 0.6, 4000), generator.normal(2, 0.3, 4000)
    hit = [
        interval is None or interval[0] <= 1.5 <= interval[1]
        for a, b in zip(numerators, denominators, strict=True)
        for interval in [fieller(a, 0.6 * z, b, 0.3 * z)]
    ]
    assert np.mean(hit) == pytest.approx(0.95, abs=0.012)
