"""A rank that fails in the middle ends its run soon, and the record says which and why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from launchers import failed, spawn
from launchers.children import Server
from metering.progress import Progress
from metering.record import FILE_NAME, Failure, Record, Status
from metering.record_file import read
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import Outcome
from tests.conftest import ROOT

pytestmark = pytest.mark.trains

TWO_RANKS = (
    "hardware.devices=2",
    "hardware.accelerator=cpu",
    "model=test_resnet",
    "model.input_size=32",
    "batch_size=2",
    "meter=fixed",
    "meter.num_warmup_steps=0",
    "meter.idle_s=0",
    "data.num_workers=0",
    "phases=test",
)
# training goes round the data until it is told to stop; a test of a fixed length ends with them
ENDLESS = (
    *TWO_RANKS,
    "data=digits",
    "phases=train",
    "batch_size=8",
    "meter.num_steps=100000",
    "meter.block_s=0.1",
)


def _images(root: Path) -> Path:
    """Two classes of two images a split; the last of the test images is broken."""
    for split in ("train", "val"):
        for name in ("n01", "n02"):
            (root / split / name).mkdir(parents=True)
            for index in range(2):
                Image.new("RGB", (40, 40)).save(root / split / name / f"{index}.JPEG")
    broken = root / "val/n02/1.JPEG"
    broken.write_bytes(broken.read_bytes()[:200])
    return broken


def test_the_rank_that_meets_a_broken_image_is_named_with_its_traceback(
    compose: Callable[..., Plan], tmp_path: Path, server: Server
) -> None:
    broken = _images(tmp_path / "images")
    # of four images in order the second and the fourth are rank 1's
    plan = compose(
        *TWO_RANKS, "data=imagenet", f"data.root={tmp_path / 'images'}", "meter.num_steps=2"
    )

    with pytest.raises(PlanError, match=str(broken)):
        spawn.run(plan, lambda _: None, server)

    failure = read(plan.folder / FILE_NAME).failure
    assert failure is not None
    assert (failure.rank, failure.type) == (1, "PlanError")
    assert "Traceback" in failure.traceback and "UnreadableImage" in failure.traceback


def _signal_rank_1(
    server: Server, number: signal.Signals, at_s: list[float]
) -> Callable[[Any], None]:
    """Once it measures, and only once."""

    def say(news: Any) -> None:
        if isinstance(news, Progress) and not at_s:
            _, second = server.children
            at_s.append(time.monotonic())
            os.kill(second.pid, number)

    return say


def test_a_rank_that_is_killed_ends_the_run_soon_and_not_in_a_hang(
    compose: Callable[..., Plan], server: Server
) -> None:
    plan = compose(*ENDLESS)
    signalled_at_s: list[float] = []

    outcome = spawn.run(plan, _signal_rank_1(server, signal.SIGKILL, signalled_at_s), server)

    assert time.monotonic() - signalled_at_s[0] < spawn.GRACE_S + 20
    assert outcome.record.status == "failed"
    assert outcome.record.failure is not None
    assert outcome.record.failure.rank == 1
    assert outcome.record.failure.message.startswith("rank 1 was killed by signal 9 (SIGKILL)")
    assert outcome.record.phases["train"].readings
    assert not server.children


def test_a_rank_that_is_asked_to_end_before_the_others_interrupts_the_run_and_fails_none(
    compose: Callable[..., Plan], server: Server
) -> None:
    plan = compose(*ENDLESS)
    by_rank_0: list[Record] = []

    def leave_record(plan: Plan, failure: Failure, status: Status) -> Outcome:
        by_rank_0.append(read(plan.folder / FILE_NAME))
        return original(plan, failure, status)

    original = failed.leave_record
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failed, "leave_record", leave_record)
        outcome = spawn.run(plan, _signal_rank_1(server, signal.SIGINT, []), server)

    # rank 0 had no signal, it only lost its connection
    (own,) = by_rank_0
    assert own.failure is not None
    assert (own.status, own.failure.rank, own.failure.type) == ("interrupted", 0, "RuntimeError")
    assert own.phases["train"].readings
    record = outcome.record
    assert record.failure is not None
    assert (record.status, record.failure.rank) == ("interrupted", 1)
    assert record.failure.type == "KeyboardInterrupt"
    assert record.phases == own.phases


def _torchrun(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        str(ROOT / "run.py"),
        *TWO_RANKS,
        *args,
    ]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=200
    )


def test_torchrun_starts_the_ranks_and_one_record_tells_of_both(tmp_path: Path) -> None:
    done = _torchrun(tmp_path, "data=digits", "meter.num_steps=2")

    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "runs").glob(f"*/*/*/*/{FILE_NAME}")
    record = read(path)
    assert record.status == "finished"
    assert sum(block.num_samples for block in record.phases["test"].readings) == 4
    assert done.stdout.count("test_resnet (") == 1  # rank 0 speaks for all


def test_under_torchrun_too_the_record_names_the_rank_that_failed_first(tmp_path: Path) -> None:
    broken = _images(tmp_path / "images")
    done = _torchrun(
        tmp_path, "data=imagenet", f"data.root={tmp_path / 'images'}", "meter.num_steps=2"
    )

    assert done.returncode != 0
    (path,) = (tmp_path / "runs").glob(f"*/*/*/*/{FILE_NAME}")
    failure = read(path).failure
    assert failure is not None
    assert (failure.rank, str(broken) in failure.message) == (1, True)
