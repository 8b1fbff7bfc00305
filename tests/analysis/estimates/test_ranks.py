"""Ranks say how sure they are; the front keeps what nothing beats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.estimates.ranks import Rank, pareto_front, ranks


def test_clear_ranks_are_sure():
    assert ranks([1.0, 3.0, 2.0], [0.01, 0.01, 0.01]) == [
        Rank(3, 3, 3, 1.0),
        Rank(1, 1, 1, 1.0),
        Rank(2, 2, 2, 1.0),
    ]


def test_near_ones_have_an_interval():
    first, second, third = ranks([1.001, 1.0, 0.1], [0.1, 0.1, 0.01])
    assert first is not None and second is not None
    assert (first.rank, first.low, first.high) == (1, 1, 2)
    assert (second.rank, second.low, second.high) == (2, 1, 2)
    assert first.stability == pytest.approx(0.5, abs=0.05)
    assert third == Rank(3, 3, 3, 1.0)


def test_two_values_are_told_apart_beyond_1_96_standard_errors_of_their_difference():
    half_width = 1.96
    apart = math.sqrt(2) * 2.2
    near = ranks([1.0 + math.sqrt(2), 1.0], [half_width] * 2)
    far = ranks([1.0 + apart, 1.0], [half_width] * 2)
    assert near[1] is not None and far[1] is not None
    assert (near[1].low, near[1].high) == (1, 2)
    assert (far[1].low, far[1].high) == (2, 2)


@pytest.mark.parametrize("apart", [0.0, 0.3, 4.0])
def test_the_interval_holds_the_true_rank_however_near_the_values_are(apart: float):
    """Five values, 150 trials; equal ones hold every rank from 1 to 5. A bootstrap of the ranks
    themselves holds it in half of the trials where all are equal."""
    generator = np.random.default_rng(7)
    truth = apart * np.arange(5)
    lowest = [1 + int((truth > value).sum()) for value in truth]
    highest = [5 - int((truth < value).sum()) for value in truth]
    held = np.zeros(5)
    for _ in range(150):
        intervals = ranks(list(truth + generator.normal(size=5)), [1.96] * 5, num_draws=400)
        held += [
            one is not None and one.low <= low and high <= one.high
            for one, low, high in zip(intervals, lowest, highest, strict=True)
        ]
    assert held.min() / 150 >= 0.90


def test_a_lone_value_has_no_rank_nor_has_an_absent_one():
    assert ranks([2.0, None, math.nan], [0.1, None, 0.1]) == [None, None, None]


def test_a_value_without_an_interval_is_in_no_rank_its_own_or_anothers():
    first, second = Rank(1, 1, 1, 1.0), Rank(2, 2, 2, 1.0)
    assert ranks([2.0, 1.5, 1.0], [0.1, None, 0.1]) == [first, None, second]
    assert ranks([2.0, 1.0], [None, 0.1]) == [None, None], "the other is alone then"
    assert ranks([2.0, 1.5, 1.0], [0.1, 0.0, 0.1]) == [first, None, second], "0 is no interval"


def test_equal_values_share_a_rank_and_keep_it_in_half_of_the_draws():
    one, other = ranks([1.0, 1.0], [0.1, 0.1])
    assert one is not None and other is not None
    assert (one.rank, one.low, one.high) == (other.rank, other.low, other.high) == (1, 1, 2)
    assert one.stability == pytest.approx(0.5, abs=0.05)


def test_where_less_is_better_the_least_is_first():
    first, second = ranks([1.0, 3.0], [0.01, 0.01], is_less_better=True)
    assert (first, second) == (Rank(1, 1, 1, 1.0), Rank(2, 2, 2, 1.0))


def test_the_pareto_front_keeps_what_nothing_beats():
    accuracy, kwh = [70.0, 80.0, 75.0, 80.0, None], [10.0, 20.0, 30.0, 25.0, 1.0]
    assert pareto_front(accuracy, kwh) == [True, True, False, False, None]


def test_equals_share_the_front():
    assert pareto_front([70.0, 70.0], [10.0, 10.0]) == [True, True]
