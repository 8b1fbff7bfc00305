"""The benchmark of the public window runs, and sees the window's calls and two loops by turns."""

from __future__ import annotations

import pytest

from benchmarks.api_overhead import GOAL, overhead

pytestmark = pytest.mark.slow


def test_it_gives_a_share_of_time_and_a_ratio_of_throughputs() -> None:
    outside, ratio = overhead(num_turns=4, turn_s=0.05)
    assert outside.goal == ratio.goal == GOAL
    assert 0.2 < outside.value < 1
    assert 0.2 < ratio.value < 5  # so short a loop says no more
    assert "3 turns of" in outside.detail and "standard error" in ratio.detail
