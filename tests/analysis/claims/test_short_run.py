"""Every window counts, and so many must be right."""

from __future__ import annotations

import pytest

from analysis.claims.claim import FAILS, HOLDS, OPEN
from analysis.claims.short_run import short_predicts_long
from analysis.estimates.validate import LeftOut, Prediction

GOOD = Prediction("a", 10, 50, 1.00, 0.02, 1.01)
BAD = Prediction("b", 10, 50, 1.20, 0.02, 1.00)


@pytest.mark.parametrize(
    ("good", "bad", "verdict"), [(100, 0, HOLDS), (20, 0, OPEN), (60, 10, FAILS), (2, 1, OPEN)]
)
def test_the_share_of_windows_decides(good: int, bad: int, verdict: str) -> None:
    assert short_predicts_long([GOOD] * good + [BAD] * bad).verdict == verdict


def test_the_denominator_and_the_worst_are_said() -> None:
    claim = short_predicts_long([GOOD, GOOD, BAD, LeftOut("c", "too few blocks")])
    assert claim.shown.startswith("3 of 4 windows have blocks enough")
    assert "2 are predicted within 5% (67%, 95 % 9% to 99%" in claim.shown
    assert "worst 20%" in claim.shown and "held in 2" in claim.shown


def test_without_a_window_nothing_is_shown() -> None:
    claim = short_predicts_long([LeftOut("c", "too few blocks")])
    assert (claim.shown, claim.verdict) == ("nothing yet", OPEN)
