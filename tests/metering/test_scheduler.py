"""What a job's environment says of it, and what of a shared node is not read."""

from __future__ import annotations

from pathlib import Path

from metering.meter import Meter
from metering.ranks import OneRank
from metering.scheduler import Scheduler, from_environment
from metering.settings import MeterSettings


def test_a_job_of_an_array_is_named_as_squeue_names_it() -> None:
    values = {
        "SLURM_JOB_ID": "31",
        "SLURM_ARRAY_JOB_ID": "22",
        "SLURM_ARRAY_TASK_ID": "0",
        "SLURM_JOB_PARTITION": "gpu",
        "SLURM_JOB_NODELIST": "n[1-2]",
        "SLURM_RESTART_COUNT": "2",
    }
    assert from_environment(values) == Scheduler(
        "22_0", "22", partition="gpu", node_list="n[1-2]", num_restarts=2
    )
    assert from_environment({"SLURM_JOB_ID": "31"}) == Scheduler("31")
    assert from_environment({"HOME": "/root"}) is None


def test_cpu_and_memory_of_a_shared_node_are_absent_and_flagged(tmp_path: Path) -> None:
    settings = MeterSettings(mode="fixed", num_steps=2, num_warmup_steps=0, idle_s=0.0)
    with (
        Meter(settings, folder=tmp_path, ranks=OneRank(), shares_node=True) as meter,
        meter.window("test", 4) as window,
    ):
        window.open()
        while not window.step(4):
            pass
    result = window.result()
    assert {result.sensors[name].how for name in ("cpu", "ram")} == {"absent"}
    assert all(block.energy.total_kwh is None for block in result.readings)
    assert result.energy_kwh_per_sample is None and result.duration_s_per_sample is not None
    assert any(flag.startswith("CPU and RAM not metered") for flag in result.flags)
