"""A verdict follows from an interval and a limit that was named before."""

from __future__ import annotations

import math

import pytest

from analysis.claims.claim import FAILS, HOLDS, NOTHING, OPEN, above, equivalent, of_parts


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.04, 0.03, HOLDS),
        (-0.04, 0.06, OPEN),
        (-0.5, 0.5, OPEN),
        (0.06, 0.2, FAILS),
        (-0.3, -0.06, FAILS),
        (math.nan, math.nan, OPEN),
    ],
)
def test_the_same_within_a_margin_needs_the_whole_interval_inside(
    low: float, high: float, verdict: str
) -> None:
    assert equivalent(low, high, 0.05) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(1.1, 1.9, HOLDS), (0.9, 1.9, OPEN), (0.5, 0.9, FAILS), (math.nan, 2.0, OPEN)],
)
def test_more_than_a_limit_needs_the_whole_interval_above(
    low: float, high: float, verdict: str
) -> None:
    assert above(low, high, 1.0) == verdict


def test_a_claim_without_numbers_is_not_shown() -> None:
    claim = of_parts("A", "says", [], "limit 1")
    assert (claim.shown, claim.verdict) == (NOTHING, OPEN)
    claim = of_parts("A", "says", [("one: 1", HOLDS), ("two: 2", FAILS)], "limit 1")
    assert (claim.shown, claim.verdict) == ("one: 1; two: 2 (limit 1)", FAILS)
