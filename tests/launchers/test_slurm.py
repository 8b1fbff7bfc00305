"""Sweeps on a real SLURM whose two nodes are this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from metering.record import read

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(280)]
RunPy = Callable[..., subprocess.CompletedProcess[str]]

QUICK = (
    "-m", "hydra/launcher=slurm", "hydra.launcher.poll_s=0.5", "hardware.slurm.time_min=5",
    "hardware.slurm.cpus_per_task=1", "hardware.slurm.mem_gb=null", "data=digits",
    "meter=fixed", "meter.num_steps=2", "meter.num_warmup_steps=0", "meter.idle_s=0",
    "data.num_workers=0", "batch_size=4", "output_dir=runs", "model=test_resnet",
    "model.input_size=32",
)  # fmt: skip


def test_a_sweep_ends_with_its_records_and_is_not_submitted_again(
    slurm: Path, run_py: RunPy, tmp_path: Path
) -> None:
    sweep = (*QUICK, "seed=0,1")

    first = run_py(*sweep)
    again = run_py(*sweep)

    assert first.returncode == 0, first.stderr + first.stdout
    records = [read(path) for path in (tmp_path / "runs").glob("*/*/*/*/record.json")]
    assert [record.status for record in records] == ["finished", "finished"]
    assert all(any("SLURM job" in note for note in record.notes) for record in records)
    assert "submitted" not in again.stdout
    assert "2 of them earlier" in again.stdout


def test_a_cancelled_job_ends_as_a_failed_record_with_slurms_reason(
    slurm: Path, run_py: RunPy, tmp_path: Path
) -> None:
    sweep = (*QUICK, "seed=7", "++hardware.slurm.extra.begin=now+1hour")
    submitted = run_py(*sweep, "hydra.launcher.wait=false")
    assert submitted.returncode == 0, submitted.stderr
    (ticket,) = (tmp_path / "runs/.slurm/tickets").glob("*.json")
    job_id = json.loads(ticket.read_text())["job_id"]

    waiting = subprocess.Popen(
        [sys.executable, str(Path(__file__).parents[2] / "run.py"), *sweep],
        cwd=tmp_path, env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert waiting.stdout is not None
    assert waiting.stdout.readline().startswith("0 runs submitted, 1 were queued already")
    subprocess.run(["scancel", job_id], check=True)

    assert waiting.wait(120) == 1
    (path,) = (tmp_path / "runs").glob("*/*/*/*/record.json")
    failure = read(path).failure
    assert failure is not None
    assert "CANCELLED" in failure.message


def test_swept_profiles_start_their_ranks_on_their_own_nodes(
    slurm: Path, run_py: RunPy, tmp_path: Path
) -> None:
    done = run_py(
        *QUICK, "hardware=v100x4,rtx3090x2", "hardware.gpu=null", "hardware.accelerator=cpu",
        "phases=test",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr + done.stdout
    notes = {
        record.hardware: record.notes[-1]
        for record in map(read, (tmp_path / "runs").glob("*/*/*/*/record.json"))
    }
    assert notes["v100x4"].endswith("on v1, CUDA_VISIBLE_DEVICES 0,1,2,3")
    assert notes["rtx3090x2"].endswith("on r1, CUDA_VISIBLE_DEVICES 0,1")
