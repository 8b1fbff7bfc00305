"""Linear means that every step takes the same, not that a cumulative sum lies near a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.claims.claim import FAILS, HOLDS, OPEN
from analysis.claims.linear import drift, epochs, shares
from analysis.estimates.studies import Curve
from tests.analysis.sample_records import a_setup

EPOCH = 1_000


def training(kwh_of_each_epoch: np.ndarray, **more: object) -> Curve:
    num = len(kwh_of_each_epoch)
    kwh = np.concatenate([[0.0], np.cumsum(kwh_of_each_epoch)])
    return Curve("net", a_setup(**more), EPOCH * np.arange(num + 1.0), kwh, EPOCH, 0.01)


def noisy(num: int = 20, scatter: float = 0.001, slope: float = 0.0) -> np.ndarray:
    each = 1 + slope * np.linspace(-0.5, 0.5, num)
    return each * (1 + np.random.default_rng(0).normal(0, scatter, num))


def test_drift_is_the_change_over_the_mean_with_students_interval() -> None:
    x, steps = np.arange(1.0, 6.0), np.array([1.0, 1.2, 1.1, 1.4, 1.3])
    value, low, high = drift(x, steps)
    assert value == pytest.approx(0.08 * 4 / 1.2)
    line = stats.linregress(x, steps)
    width = stats.t.ppf(0.975, 3) * line.stderr * 4 / 1.2
    assert (low, high) == (pytest.approx(value - width), pytest.approx(value + width))


@pytest.mark.parametrize(
    ("each", "verdict"),
    [(noisy(), HOLDS), (noisy(scatter=0.1), OPEN), (noisy(slope=0.2), FAILS)],
)
def test_epochs_that_take_the_same_are_linear(each: np.ndarray, verdict: str) -> None:
    """All three cumulative sums have an R2 above 0.99."""
    ends = np.arange(1.0, 21)
    assert stats.linregress(ends, np.cumsum(each)).rvalue ** 2 > 0.99
    assert epochs([training(each)])[0].verdict == verdict


@pytest.mark.parametrize(
    ("first", "error", "verdict"),
    [(1.0, "+0.0%", HOLDS), (1.5, "+46.3%", FAILS)],
)
def test_one_epoch_is_enough_when_the_first_is_like_the_others(
    first: float, error: str, verdict: str
) -> None:
    each = noisy(scatter=1e-6)
    each[0] = first
    straight, enough = epochs([training(each)])
    assert f"20 x the first epoch errs by {error}" in enough.shown
    assert enough.verdict == verdict
    assert straight.verdict == HOLDS, "a costly first epoch is an offset"


def test_a_noisy_first_epoch_shows_nothing() -> None:
    assert epochs([training(noisy(scatter=0.1))])[1].verdict == OPEN


def test_three_epochs_are_too_few() -> None:
    assert [claim.shown for claim in epochs([training(np.ones(3))])] == ["nothing yet"] * 2


def one_epoch(fraction: float, kwh: float, half_width: float = 0.001, **more: object) -> Curve:
    size = round(10_000 * fraction)
    setup = a_setup(data_fraction=fraction, **more)
    return Curve("net", setup, np.array([0.0, size]), np.array([0.0, kwh]), size, half_width)


def line(start: float, **more: object) -> list[Curve]:
    """Shares of the data at 0.01 kWh an image, but for a hair, after `start` kWh at the
    beginning."""
    fractions = (0.01, 0.1, 0.2, 0.5, 1.0)
    kwh = zip(fractions, 100 * noisy(5, scatter=1e-6), strict=True)
    return [one_epoch(share, start + rate * share, **more) for share, rate in kwh]


def test_steps_alike_to_the_last_digit_have_no_interval() -> None:
    """As one tick of a counter makes them: no scatter is seen, which is no proof of none."""
    assert drift(np.arange(1.0, 6.0), np.full(5, 0.7))[0] == 0.0
    claims = epochs([training(np.ones(20))])
    assert [claim.verdict for claim in claims] == [OPEN, OPEN]
    assert "(no interval)" in claims[0].shown


def test_shares_of_the_data_have_one_rate() -> None:
    straight, enough = shares(line(0.0))
    assert (straight.verdict, enough.verdict) == (HOLDS, HOLDS)
    assert "1% of the data scaled up errs by +0.0%" in enough.shown


def test_a_start_makes_the_smallest_share_dear_and_the_line_stays_straight() -> None:
    straight, enough = shares(line(1.0))
    assert "errs by +98.0%" in enough.shown
    assert (straight.verdict, enough.verdict) == (HOLDS, FAILS)


def test_a_share_without_an_interval_shows_nothing() -> None:
    curves = [one_epoch(0.01, 1.0, None), one_epoch(0.5, 50.0), one_epoch(1.0, 100.0)]  # type: ignore[arg-type]
    assert shares(curves)[1].verdict == OPEN


def test_only_shares_of_one_device_are_joined() -> None:
    """Two CPUs under one hardware profile are two devices."""
    here, there = line(0.0, device=None, cpu_model="EPYC"), line(0.0, device=None, cpu_model="Xeon")
    mixed = [here[0], there[1], here[2], there[3]]
    assert shares(mixed)[0].shown == "nothing yet", "two points a device"
    assert shares([*here, *there])[0].shown.count("net:") == 2


def test_shares_of_two_days_are_said_to_be_so() -> None:
    of_one, of_two = line(0.0), line(0.0)
    of_two[-1] = replace(of_two[-1], sweep=7)
    assert not any("apart" in claim.shown for claim in shares(of_one))
    assert all(", measured apart" in claim.shown for claim in shares(of_two))
