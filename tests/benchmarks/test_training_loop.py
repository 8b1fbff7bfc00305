"""The training loop's figure: neighbouring turns, no best model, and the noise beside it."""

from __future__ import annotations

import os
import sys

import pytest

from benchmarks import training_loop
from benchmarks.training_loop import ALLOCATOR, compared, summarised


def test_bare_turns_over_ours_and_the_second_bare_loop_over_the_first():
    mine_s, others_s = [9.0, 9.0, 2.0, 2.0, 2.0, 2.0, 2.0], [9.0, 9.0, 1.0, 1.1, 1.0, 1.1]
    ours, null = compared(mine_s, others_s)
    assert ours == pytest.approx([0.5, 0.55, 0.5, 0.55])
    assert null == pytest.approx([1.1])


def test_one_model_that_gains_does_not_lift_the_figure():
    same = [1.0, 1.0, 1.0]
    result = summarised({"a": ([0.99] * 3, same), "b": ([1.2] * 9, same), "c": ([0.98] * 3, same)})
    assert result.value == pytest.approx(0.99)
    assert not result.held
    assert "bare over bare 1.000" in result.detail
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
