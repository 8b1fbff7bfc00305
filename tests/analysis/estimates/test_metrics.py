from __future__ import annotations

import math

import pytest

from analysis.estimates.metrics import gqi, pareto_front, rank_stability, samples_per_kwh
from analysis.published import facts as published

TABLE3 = published.wide(published.IMAGENET).dropna(subset=["gqi", "top1_pct", "train_kwh"])


@pytest.mark.parametrize("row", TABLE3.to_dict("records"), ids=lambda row: row["model"])
def test_the_index_is_the_papers(row: dict):
    """To the third decimal, which the paper rounds up."""
    found = gqi(row["top1_pct"], row["train_kwh"])
    assert found.value == pytest.approx(row["gqi"], abs=0.0016)


@pytest.mark.parametrize("kwh", [1.0, 0.5, 1e-9])
def test_the_index_is_undefined_at_and_under_one_kwh(kwh: float):
    found = gqi(80.0, kwh)
    assert found.value is None
    assert "undefined at or under 1 kWh" in found.note


def test_alpha_and_beta_are_options():
    assert gqi(50.0, 100.0, alpha=1, beta=1).value == pytest.approx(0.25)


def test_the_interval_is_what_moving_the_electricity_does():
    found = gqi(80.0, 200.0, 2.0)
    low, high = gqi(80.0, 202.0).value, gqi(80.0, 198.0).value
    assert found.half_width == pytest.approx((high - low) / 2, rel=1e-3)


@pytest.mark.parametrize(("accuracy", "kwh"), [(100.1, 10.0), (-1.0, 10.0), (80.0, 0.0)])
def test_an_impossible_number_is_refused(accuracy: float, kwh: float):
    with pytest.raises(ValueError, match="not"):
        gqi(accuracy, kwh)


def test_clear_ranks_are_stable_and_near_ones_are_not():
    far = rank_stability([3.0, 2.0, 1.0], [0.01, 0.01, 0.01])
    assert far == [1.0, 1.0, 1.0]
    near = rank_stability([1.001, 1.0, 0.1], [0.1, 0.1, 0.01])
    assert 0.4 < near[0] < 0.6
    assert near[2] == 1.0


def test_an_absent_value_has_no_rank():
    assert rank_stability([2.0, None, math.nan], [0.1, None, 0.1]) == [1.0, None, None]


def test_the_pareto_front_keeps_what_nothing_beats():
    accuracy, kwh = [70.0, 80.0, 75.0, 80.0, None], [10.0, 20.0, 30.0, 25.0, 1.0]
    assert pareto_front(accuracy, kwh) == [True, True, False, False, None]


def test_equals_share_the_front():
    assert pareto_front([70.0, 70.0], [10.0, 10.0]) == [True, True]


def test_samples_per_kwh_is_the_rate_turned_over():
    assert samples_per_kwh(1e-6) == pytest.approx(1e6)
