"""The training loop's figure: neighbouring turns, no best model, and the noise beside it."""

from __future__ import annotations

import os
import sys

import pytest

from benchmarks import training_loop
from benchmarks.training_loop import ALLOCATOR, Compared, compared, summarised


def test_bare_turns_over_ours_with_and_without_the_meter_and_over_each_other() -> None:
    mine_s = [9.0, 9.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    unmetered_s = [9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    ratios = compared(mine_s, unmetered_s, others_s=[9.0, 9.0, 1.0, 1.1, 1.0, 1.1])
    assert ratios.ours == pytest.approx([0.5, 0.55, 0.5, 0.55])
    assert ratios.unmetered == pytest.approx([1.0, 1.1, 1.0, 1.1])
    assert ratios.equal == pytest.approx([1.1])


def test_one_model_that_gains_does_not_lift_the_figure() -> None:
    def found(ours: list[float]) -> Compared:
        return Compared(ours, [1.0], [1.0, 1.0, 1.0])

    result = summarised({"a": found([0.99] * 3), "b": found([1.2] * 9), "c": found([0.98] * 3)})
    assert result.value == pytest.approx(0.99)
    assert not result.held
    assert "1.0000 without the time inside the meter's calls" in result.detail
    assert "bare over bare 1.0000" in result.detail
    assert "b 1.200 +- 0.000 (1.000 +- 0.000)" in result.detail


def test_the_process_starts_itself_again_with_the_allocator_set_once(monkeypatch):
    started = []
    monkeypatch.setattr(os, "execve", lambda *given: started.append(given))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "benchmarks.training_loop", "--quick"])
    for name in ALLOCATOR:
        monkeypatch.delenv(name, raising=False)
    training_loop.keep_freed_memory()
    ((path, command, environment),) = started
    assert (path, command[1:]) == (sys.executable, sys.orig_argv[1:])
    assert environment.items() >= ALLOCATOR.items()
    monkeypatch.setattr(os, "environ", environment)
    training_loop.keep_freed_memory()
    assert len(started) == 1
