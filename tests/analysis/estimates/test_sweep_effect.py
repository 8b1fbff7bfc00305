"""The place in a sweep changes a rate by so much, at the interval of the slope."""

from __future__ import annotations

import random

import numpy as np
import pytest

from analysis.estimates.sweep_effect import PlacedRun, order_effect, temperature_effect


def test_a_drift_of_five_percent_over_the_sweep_is_found():
    rng = random.Random(0)
    runs = [
        PlacedRun(setup, rate * (1 + 0.05 * (place - 0.5) + rng.gauss(0, 0.002)), place)
        for setup, rate in (("a", 1e-6), ("b", 5e-6))
        for place in (rng.random() for _ in range(8))
    ]
    slope = order_effect(runs)
    assert slope is not None
    assert abs(slope.value - 0.05) < slope.half_width < 0.01
    assert slope.is_shown
    assert (slope.num_runs, slope.num_setups) == (16, 2)


def test_one_setup_is_the_ordinary_least_squares_line():
    from scipy.stats import linregress, t

    places, rates = [0.0, 0.3, 0.6, 1.0], [1.0, 1.1, 1.02, 1.2]
    slope = order_effect([PlacedRun("a", *both) for both in zip(rates, places, strict=True)])
    line = linregress(places, np.asarray(rates) / np.mean(rates))
    assert slope is not None
    assert slope.value == pytest.approx(line.slope)
    assert slope.half_width == pytest.approx(line.stderr * t.ppf(0.975, 2))


def test_a_difference_between_setups_is_no_effect_of_order():
    runs = [
        PlacedRun("a", 1.0, 0.0),
        PlacedRun("a", 1.0, 0.2),
        PlacedRun("b", 2.0, 0.8),
        PlacedRun("b", 2.0, 1.0),
    ]
    slope = order_effect(runs)
    assert slope is not None
    assert slope.value == 0


def test_runs_that_cannot_tell_give_nothing():
    assert order_effect([PlacedRun("a", 1.0, 0.0), PlacedRun("a", 1.1, 1.0)]) is None
    assert order_effect([PlacedRun(name, 1.0, 0.5) for name in "abc"]) is None
    assert temperature_effect([PlacedRun("a", 1.0, place / 3) for place in range(4)]) is None
