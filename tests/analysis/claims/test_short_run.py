"""Every window counts, and so many must be right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy import stats

from analysis.claims.claim import FAILS, HOLDS, OPEN
from analysis.claims.short_run import Share, short_predicts_long
from analysis.estimates.validate import LeftOut, Prediction

GOOD = Prediction("a", 10, 50, 1.00, 0.02, 1.01)
BAD = Prediction("b", 10, 50, 1.20, 0.02, 1.00)


@pytest.mark.parametrize(
    ("good", "bad", "verdict"), [(100, 0, HOLDS), (20, 0, OPEN), (60, 10, FAILS), (2, 1, OPEN)]
)
def test_the_share_of_windows_decides(good: int, bad: int, verdict: str) -> None:
    assert short_predicts_long([GOOD] * good + [BAD] * bad).verdict == verdict


def test_windows_of_one_network_on_one_machine_are_no_independent_ones() -> None:
    """A hundred windows of two networks, one always right, one never: as if there were two."""
    good, bad = replace(GOOD, group="a on CPU"), replace(BAD, group="b on CPU")
    claim = short_predicts_long([good] * 50 + [bad] * 50)
    assert "50%, 95 % 0% to 100%" in claim.shown and claim.verdict == OPEN
    assert "intervals over 2 networks on a machine each" in claim.shown
    alone = short_predicts_long([good] * 100)
    assert "100%, no interval" in alone.shown and alone.verdict == OPEN


def test_the_interval_is_the_binomials_where_windows_are_independent() -> None:
    share = Share([True] * 60 + [False] * 10, [str(number) for number in range(70)])
    exact = stats.binomtest(60, 70).proportion_ci()
    assert share.interval == pytest.approx((exact.low, exact.high), abs=0.002)


def test_the_denominator_and_the_worst_are_said() -> None:
    claim = short_predicts_long([GOOD, GOOD, BAD, LeftOut("c", "too few blocks")])
    assert claim.shown.startswith("3 of 4 windows have blocks enough")
    assert "2 are predicted within 5% (67%, 95 % 4% to 100%" in claim.shown
    assert "worst 20%" in claim.shown and "held in 2" in claim.shown


def test_without_a_window_nothing_is_shown() -> None:
    claim = short_predicts_long([LeftOut("c", "too few blocks")])
    assert (claim.shown, claim.verdict) == ("nothing yet", OPEN)
