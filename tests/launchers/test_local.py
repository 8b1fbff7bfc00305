"""Runs on this machine: several ranks, and nothing side by side that shares a device."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import rank_failure, spawn
from launchers.children import Server
from launchers.local_launcher import disjoint, fits
from metering.record import FILE_NAME
from metering.record_file import read
from tasks.errors import PlanError
from tasks.plan import Plan

RunPy = Callable[..., subprocess.CompletedProcess[str]]


def test_runs_that_would_share_a_device_are_refused() -> None:
    with pytest.raises(PlanError, match="share a device"):
        disjoint([[0, 1], [1]])
    assert disjoint([[0, 1], [2]]) == [(0, 1), (2,)]


@pytest.mark.parametrize(
    ("devices", "words"), [("[[0],[0]]", "share a device"), ("[[0],[1]]", "share one CPU")]
)
def test_a_sweep_side_by_side_is_refused_where_runs_would_share_something(
    run_py: RunPy, tmp_path: Path, devices: str, words: str
) -> None:
    done = run_py(
        "-m",
        "repeats=2",
        "repetition=1,2",
        "hydra/launcher=local",
        f"hydra.launcher.devices={devices}",
        "hardware.accelerator=cpu",
        "data=digits",
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: h") and words in line
    assert not list(tmp_path.glob("runs/*/*/*/*/record.json"))


def test_a_local_sweep_runs_one_after_the_other(run_py: RunPy, tmp_path: Path) -> None:
    done = run_py(
        "-m",
        "repeats=2",
        "repetition=1,2",
        "hydra/launcher=local",
        "data=digits",
        "phases=test",
        "model=test_resnet",
        "model.input_size=32",
        "hardware.accelerator=cpu",
        "meter=fixed",
        "meter.num_steps=3",
        "meter.idle_s=0",
    )
    assert done.returncode == 0, done.stderr
    first, second = sorted(
        (read(path) for path in tmp_path.glob("runs/*/*/*/*/record.json")),
        key=lambda record: record.started_at,
    )
    assert first.ended_at <= second.started_at


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


@pytest.mark.trains
def test_a_rank_that_cannot_start_ends_the_run_with_one_line(
    compose: Callable[..., Plan], server: Server
) -> None:
    plan = compose("data=digits", "hardware.devices=2", "hardware.accelerator=cuda", "batch_size=4")
    with pytest.raises(PlanError, match="CUDA"):
        spawn.run(plan, lambda _: None, server)
    assert read(plan.folder / FILE_NAME).status == "failed"
