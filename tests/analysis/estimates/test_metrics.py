from __future__ import annotations

import math

import pytest

from analysis.estimates.metrics import gqi, samples_per_kwh
from analysis.published import facts as published

TABLE3 = published.wide(published.IMAGENET).dropna(subset=["gqi", "top1_pct", "train_kwh"])


@pytest.mark.parametrize("row", TABLE3.to_dict("records"), ids=lambda row: row["model"])
def test_the_index_is_the_papers(row: dict):
    """To the third decimal, which the paper rounds up."""
    index = gqi(row["top1_pct"], row["train_kwh"])
    assert index.value == pytest.approx(row["gqi"], abs=0.0016)


@pytest.mark.parametrize("kwh", [1.0, 0.5, 1e-9])
def test_the_index_is_undefined_at_and_under_one_kwh(kwh: float):
    index = gqi(80.0, kwh)
    assert index.value is None
    assert "undefined at or under 1 kWh" in index.note


def test_alpha_and_beta_are_options():
    assert gqi(50.0, 100.0, alpha=1, beta=1).value == pytest.approx(0.25)


def test_the_interval_is_what_moving_the_electricity_does():
    index = gqi(80.0, 200.0, 2.0)
    low, high = gqi(80.0, 202.0).value, gqi(80.0, 198.0).value
    assert index.half_width == pytest.approx((high - low) / 2, rel=1e-2)


@pytest.mark.parametrize(("accuracy", "kwh"), [(100.1, 10.0), (-1.0, 10.0), (80.0, 0.0)])
def test_an_impossible_number_is_refused(accuracy: float, kwh: float):
    with pytest.raises(ValueError, match="not"):
        gqi(accuracy, kwh)


def test_the_interval_holds_what_the_accuracys_error_does():
    index = gqi(80.0, 200.0, 0.0, accuracy_half_width_pct=0.2)
    low, high = gqi(79.8, 200.0).value, gqi(80.2, 200.0).value
    assert index.half_width == pytest.approx((high - low) / 2, rel=1e-2)


def test_independent_errors_add_in_quadrature():
    by_kwh = gqi(80.0, 200.0, 2.0).half_width
    by_accuracy = gqi(80.0, 200.0, 0.0, accuracy_half_width_pct=0.2).half_width
    both = gqi(80.0, 200.0, 2.0, accuracy_half_width_pct=0.2).half_width
    assert both == pytest.approx(math.hypot(by_kwh, by_accuracy))


@pytest.mark.parametrize(("kwh", "accuracy"), [(None, 0.2), (2.0, None)])
def test_without_one_of_its_errors_the_index_has_no_interval(kwh, accuracy):
    index = gqi(80.0, 200.0, kwh, accuracy_half_width_pct=accuracy)
    assert index.value is not None and index.half_width is None


def test_samples_per_kwh_is_the_rate_turned_over():
    assert samples_per_kwh(1e-6) == pytest.approx(1e6)


def test_a_wide_interval_of_electricity_counts_by_its_longer_side():
    """100 ± 90 kWh: the index at 10 kWh is twice that at 100; a tangent would say 20 % more."""
    index = gqi(80.0, 100.0, 90.0)
    assert index.value is not None
    assert index.half_width == pytest.approx(index.value, rel=1e-9)


def test_an_interval_that_reaches_one_kwh_bounds_no_index():
    index = gqi(80.0, 5.0, 4.5)
    assert index.value is not None and index.half_width is None
    assert "no bound" in index.note
