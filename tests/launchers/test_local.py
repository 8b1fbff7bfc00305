"""Runs on this machine: several ranks, and nothing side by side that shares a device."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import rank_failure, spawn
from launchers.local_launcher import disjoint, fits
from metering.record import FILE_NAME, read
from tasks.errors import PlanError
from tasks.plan import Plan

RunPy = Callable[..., subprocess.CompletedProcess[str]]


def test_runs_that_would_share_a_device_are_refused() -> None:
    with pytest.raises(PlanError, match="share a device"):
        disjoint([[0, 1], [1]])
    assert disjoint([[0, 1], [2]]) == [(0, 1), (2,)]


def test_runs_side_by_side_on_one_cpu_are_refused() -> None:
    with pytest.raises(PlanError, match="share one CPU"):
        fits(1, "cpu", [(0,), (1,)])


def test_the_first_rank_that_fails_is_the_one_that_is_told(tmp_path: Path) -> None:
    rank_failure.leave(tmp_path, 1, ValueError("broken image"), "Traceback of rank 1")
    rank_failure.leave(tmp_path, 0, RuntimeError("connection closed by peer"), "")

    failure = rank_failure.take(tmp_path)

    assert failure is not None
    assert (failure.rank, failure.message) == (1, "broken image")
    assert rank_failure.take(tmp_path) is None


def test_more_nodes_than_this_one_are_refused(run_py: RunPy) -> None:
    done = run_py("hardware.nodes=2")
    assert done.returncode == 2
    assert "hydra/launcher=slurm" in done.stderr


def test_a_rank_that_cannot_start_ends_the_run_with_one_line(compose: Callable[..., Plan]) -> None:
    plan = compose("data=digits", "hardware.devices=2", "hardware.accelerator=cuda", "batch_size=4")
    with pytest.raises(PlanError, match="CUDA"):
        spawn.run(plan, lambda _: None)
    assert read(plan.folder / FILE_NAME).status == "failed"
