"""What SLURM is asked for, compared as text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers.settings import SlurmSettings
from launchers.slurm_resources import Array, job_name, parameters, sbatch_text
from tasks.errors import PlanError
from tasks.plan import HardwarePlan, Plan

JOBS = Path("/runs/jobs")
CODE = (Path("/code/suite"), Path("/code/own"))

FULL_PROFILE = f"""#!/bin/bash

# Parameters
#SBATCH --account=vision
#SBATCH --array=0-2%3
#SBATCH --constraint=sxm2
#SBATCH --cpus-per-task=8
#SBATCH --exclusive
#SBATCH --gres=gpu:v100:4
#SBATCH --job-name=sweep:vit_b
#SBATCH --mem=256GB
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --open-mode=append
#SBATCH --output=/runs/jobs/%A_%a.log
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --reservation=summer
#SBATCH --signal=USR2@90
#SBATCH --time=480

# setup
others=$(printf %s "${{PYTHONPATH:-}}" | tr : "\\n" | grep "^/" | paste -sd: -)
export PYTHONPATH=/code/suite:/code/own${{others:+:$others}} PYTHONSAFEPATH=1
unset SLURM_CLUSTERS SBATCH_CLUSTERS
export SLURM_EXPORT_ENV=ALL
export SLURM_JOB_START_TIME=${{SLURM_JOB_START_TIME:-$(date +%s)}}
[ -z "${{SLURM_CPUS_PER_TASK:-}}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

# command
export SUBMITIT_EXECUTOR=slurm
job=${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}${{SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}}
runs=2
[ "${{SLURM_ARRAY_TASK_ID:-0}}" = 2 ] && runs=1
trap 'leaving=1' TERM
status=0
for ((run = 0; run < runs; run++)); do
  [ -e /runs/jobs/"$job.$run.ended" ] && continue
  srun --unbuffered --kill-on-bad-exit=1 --label {sys.executable} -u -m launchers.slurm_job \
/runs/jobs/watt-1.plans $run
  code=$?
  [ $code = 0 ] || status=$code
  if [ -n "$leaving" ] || [ $code = 75 ]; then break; fi
done
if [ -e /runs/jobs/"$job.requeue" ]; then
  rm /runs/jobs/"$job.requeue"
  for pause in 5 15 0; do scontrol requeue "$job" && break; sleep $pause; done
fi
exit $status
"""


def _one(hardware: HardwarePlan, settings: SlurmSettings) -> str:
    return sbatch_text(Array(JOBS, JOBS / "watt-1.plans", num_runs=1), hardware, settings)


def test_a_full_profile_asks_for_all_its_resources(compose: Callable[..., Plan]) -> None:
    hardware = compose(
        "hardware=v100x4",
        "hardware.slurm.partition=gpu",
        "hardware.slurm.account=vision",
        "hardware.slurm.constraint=sxm2",
        "++hardware.slurm.extra.reservation=summer",
    ).hardware

    array = Array(JOBS, JOBS / "watt-1.plans", num_runs=5, name="sweep:vit_b", code=CODE)
    text = sbatch_text(array, hardware, SlurmSettings(max_running=3, runs_per_job=2))

    assert text == FULL_PROFILE


def test_a_mistyped_resource_is_named() -> None:
    with pytest.raises(PlanError, match="partition"):
        parameters(HardwarePlan("x", slurm={"partitoin": "gpu"}), SlurmSettings())


@pytest.mark.parametrize(
    ("key", "own"),
    [("exclusive", "hardware.slurm.exclusive"), ("time", "hardware.slurm.time_min"),
     ("cpus-per-task", "hardware.slurm.cpus_per_task"), ("output", "output_dir")],
)  # fmt: skip
def test_what_has_a_key_of_its_own_is_not_taken_as_extra(key: str, own: str) -> None:
    hardware = HardwarePlan("x", slurm={"extra": {key: "1"}})
    with pytest.raises(PlanError, match=f"extra.{key} is not for extra; use {own}"):
        parameters(hardware, SlurmSettings())


def test_what_changes_sbatchs_answer_is_refused_and_what_is_false_is_not_asked() -> None:
    with pytest.raises(PlanError, match="test-only changes what sbatch does"):
        parameters(HardwarePlan("x", slurm={"extra": {"test-only": True}}), SlurmSettings())
    hardware = HardwarePlan("x", accelerator="cpu", slurm={"extra": {"hold": False}})
    assert "hold" not in parameters(hardware, SlurmSettings())["additional_parameters"]


def test_a_profile_without_a_time_limit_or_cores_leaves_both_to_the_site() -> None:
    hardware = HardwarePlan("x", accelerator="cpu", slurm={"time_min": None, "cpus_per_task": None})
    text = _one(hardware, SlurmSettings())
    assert "--time" not in text and "--cpus-per-task" not in text


def test_a_time_limit_within_the_warning_is_refused() -> None:
    hardware = HardwarePlan("x", accelerator="cpu", slurm={"time_min": 2})
    with pytest.raises(PlanError, match="time_min=2 leaves no time to measure"):
        parameters(hardware, SlurmSettings(signal_delay_s=90))
    assert parameters(hardware, SlurmSettings(signal_delay_s=30))["time"] == 2


def test_a_container_and_a_sites_modules_are_in_the_text(compose: Callable[..., Plan]) -> None:
    settings = SlurmSettings(
        python="apptainer exec --nv --bind /shared suite.sif python", setup=["module load cuda"]
    )
    text = _one(compose().hardware, settings)
    # a line of the site's that fails ends the job, before Python's path is set
    assert "\nset -e\nmodule load cuda\nset +eu\n" in text
    assert text.index("module load cuda") < text.index("export PYTHONPATH=")
    assert "apptainer exec --nv --bind /shared suite.sif python -u -m launchers.slurm_job" in text


def test_a_folders_name_is_no_pattern_of_slurms(compose: Callable[..., Plan]) -> None:
    array = Array(Path("/runs/50%j"), Path("/runs/50%j/watt-1.plans"), num_runs=1)
    text = sbatch_text(array, compose().hardware, SlurmSettings())
    assert "#SBATCH --output=/runs/50%%j/%j.log\n" in text


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
    text = _one(hardware, SlurmSettings())
    assert "#SBATCH --gpus-per-node=a6000:1\n" in text and "--gres" not in text
    assert "#SBATCH --qos=short\n" in text and "#SBATCH --no-requeue\n" in text


def test_a_folders_blanks_are_not_in_the_jobs_name(compose: Callable[..., Plan]) -> None:
    assert job_name([compose("output_dir='my runs'", "model=vit_b")]) == "my_runs:vit_b"


def test_a_jobs_name_carries_the_sweep_and_its_models(compose: Callable[..., Plan]) -> None:
    plans = [compose(f"model={name}") for name in ("resnet18", "vit_b", "vit_b")]
    assert job_name(plans) == "runs:resnet18,vit_b"
    names = ("convnext_b", "efficientnetv2_s", "mobilenet_v2", "mobilenet_v3", "densenet121")
    many = [compose(f"model={name}") for name in names]
    assert job_name(many) == "runs:convnext_b,efficientnetv2_s,mobilenet_v2,..."
