"""What SLURM is asked for, compared as text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers.slurm_resources import ROOT, SlurmSettings, parameters, sbatch_text
from tasks.errors import PlanError
from tasks.plan import HardwarePlan, Plan


def test_a_full_profile_asks_for_all_its_resources(compose: Callable[..., Plan]) -> None:
    hardware = compose(
        "hardware=v100x4",
        "hardware.slurm.partition=gpu",
        "hardware.slurm.account=vision",
        "hardware.slurm.constraint=sxm2",
        "++hardware.slurm.extra.reservation=summer",
    ).hardware

    text = sbatch_text(Path("/runs/jobs"), hardware, SlurmSettings(max_running=3), num_runs=5)

    assert (
        text
        == f"""#!/bin/bash

# Parameters
#SBATCH --account=vision
#SBATCH --array=0-4%3
#SBATCH --constraint=sxm2
#SBATCH --cpus-per-task=8
#SBATCH --error=/runs/jobs/%A_%a_0_log.err
#SBATCH --exclusive
#SBATCH --gres=gpu:v100:4
#SBATCH --job-name=watt-v100x4
#SBATCH --mem=256GB
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --open-mode=append
#SBATCH --output=/runs/jobs/%A_%a_0_log.out
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --reservation=summer
#SBATCH --signal=USR2@90
#SBATCH --time=480
#SBATCH --wckey=submitit

# setup
export PYTHONPATH={ROOT}:$PYTHONPATH

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output /runs/jobs/%A_%a_%t_log.out --error /runs/jobs/%A_%a_%t_log.err \
--kill-on-bad-exit=1 {sys.executable} -u -m submitit.core._submit /runs/jobs
"""
    )


def test_a_mistyped_resource_is_named() -> None:
    with pytest.raises(PlanError, match="partition"):
        parameters(HardwarePlan("x", slurm={"partitoin": "gpu"}), SlurmSettings())


def test_a_container_and_a_sites_modules_are_in_the_text(compose: Callable[..., Plan]) -> None:
    settings = SlurmSettings(
        python="apptainer exec --nv --bind /shared suite.sif python", setup=["module load cuda"]
    )
    text = sbatch_text(Path("/runs/jobs"), compose().hardware, settings, num_runs=1)
    assert "\nmodule load cuda\n" in text
    assert "apptainer exec --nv --bind /shared suite.sif python -u -m submitit" in text


def test_a_run_on_cpus_has_its_node_alone_and_one_on_a_gpu_shares_it(
    compose: Callable[..., Plan],
) -> None:
    cpu = compose("hardware.accelerator=cpu")
    gpu = compose("hardware=a6000")
    assert parameters(cpu.hardware, SlurmSettings())["exclusive"] is True
    assert "exclusive" not in parameters(gpu.hardware, SlurmSettings())
    shared = compose("hardware.accelerator=cpu", "hardware.slurm.exclusive=false")
    with pytest.raises(PlanError, match="exclusive=false leaves nothing to meter"):
        parameters(shared.hardware, SlurmSettings())


def test_sites_name_gpus_and_queues_in_their_own_ways(compose: Callable[..., Plan]) -> None:
    hardware = compose(
        "hardware=a6000", "hardware.slurm.gres=null", "hardware.slurm.gpus_per_node=a6000:1",
        "hardware.slurm.qos=short", "hardware.slurm.requeue=false",
    ).hardware  # fmt: skip
    text = sbatch_text(Path("/runs/jobs"), hardware, SlurmSettings(), num_runs=1)
    assert "#SBATCH --gpus-per-node=a6000:1\n" in text and "--gres" not in text
    assert "#SBATCH --qos=short\n" in text and "#SBATCH --no-requeue\n" in text
