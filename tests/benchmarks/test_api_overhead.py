"""The benchmark of the public window runs and gives a ratio of two loops that do the same."""

from __future__ import annotations

from benchmarks.api_overhead import GOAL, overhead


def test_it_gives_one_ratio_of_throughputs() -> None:
    [result] = overhead(num_turns=4, turn_s=0.05)
    assert result.goal == GOAL
    assert 0.2 < result.value < 5  # so short a loop says no more
    assert "4 turns of" in (result.detail or "")
