"""The real nvidia-ml-py, the real CodeCarbon and this suite's readers over a C library in the place
of NVML's, whose GPUs draw a known power."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metering.record_file import read
from tests.conftest import ROOT
from tests.metering.nvml_stand_in.state import StandIn, StandInGpu

pytestmark = pytest.mark.slow

NO_PERMISSION, LOST, VERSION_MISMATCH, NOT_SUPPORTED = 4, 15, 18, 3
FORBIDDEN = {
    "forbidden": "nvmlDeviceGetHandleByIndex_v2",
    "forbidden UUID": "nvmlDeviceGetUUID",
    "forbidden counter": "nvmlDeviceGetTotalEnergyConsumption",
}


def is_200_w(joules: float, between_s: tuple[float, float], within_s: float) -> bool:
    shortest_s, longest_s = between_s
    return shortest_s - within_s <= joules / 200.0 <= longest_s + within_s


def test_three_paths_of_one_sensor_give_the_power_that_is_drawn(over_stand_in):
    read_j = over_stand_in("readers", StandInGpu("GPU-a", wave=(0.05, 100.0, 300.0)))
    assert read_j["fault"] == ""
    assert read_j["period_s"] == pytest.approx(0.1, abs=0.02)
    assert is_200_w(read_j["own_j"], read_j["own_s"], within_s=0.1)  # a tick
    assert is_200_w(read_j["codecarbon_j"], read_j["codecarbon_s"], within_s=0.2)
    assert is_200_w(read_j["watched_j"], read_j["own_s"], within_s=0.045)
    assert read_j["sensor"]["how"] == "counter"


def test_codecarbon_says_that_it_fell_back_to_power(over_stand_in):
    gpu = StandInGpu("GPU-a", errors={"nvmlDeviceGetTotalEnergyConsumption": NOT_SUPPORTED})
    read_j = over_stand_in("readers", gpu)
    assert read_j["sensor"]["how"] == "power"
    assert is_200_w(read_j["own_j"], read_j["own_s"], within_s=0.03)


@pytest.mark.parametrize(
    "neighbour",
    [
        pytest.param(StandInGpu("GPU-b", lost_at_s=0.0), id="lost"),
        *(
            pytest.param(
                StandInGpu("GPU-b", errors={call: NO_PERMISSION}), marks=pytest.mark.slow, id=name
            )
            for name, call in FORBIDDEN.items()
        ),
    ],
)
def test_a_neighbour_that_does_not_answer_stops_no_job(over_stand_in, neighbour):
    answer = over_stand_in("window", neighbour, StandInGpu("GPU-a"), CUDA_VISIBLE_DEVICES="1")
    assert answer["w"] == pytest.approx(200.0, rel=0.2)
    assert answer["sensors"]["gpu"]["how"] == "counter"
    assert all(block["own"]["gpu_kwh"] is not None for block in answer["blocks"])


def test_gpus_are_found_without_nvidia_smi(over_stand_in):
    """An image often has NVML and not the tool; CodeCarbon then looks for no GPU."""
    answer = over_stand_in("window", StandInGpu("GPU-a"), PATH="/nonexistent")
    assert all(block["energy"]["gpu_kwh"] is not None for block in answer["blocks"])


def test_a_slow_library_and_eight_boards_cost_little_of_the_window(over_stand_in):
    gpus = [StandInGpu(f"GPU-{n}", latency_s=0.003) for n in range(8)]
    answer = over_stand_in("window", *gpus)
    assert answer["w"] == pytest.approx(1600.0, rel=0.2)
    gaps = [block["gap_s"] for block in answer["blocks"] if block["use"] == "measured"]
    assert sorted(gaps)[len(gaps) // 2] < 0.015  # asked one after the other: 24 ms and more


@pytest.mark.trains
def test_a_whole_run_over_the_stand_in(nvml_library: Path, cache_dir: Path, tmp_path: Path):
    """`run.py` end to end: choice of GPUs, set-up, idle, windows, record."""
    stand_in = StandIn(tmp_path, [StandInGpu("GPU-aa"), StandInGpu("GPU-bb")]).write()
    command = [
        sys.executable,
        "-m",
        "tests.metering.nvml_stand_in.run_on_cpu",
        "model=test_resnet",
        "data=digits",
        "model.input_size=32",
        "batch_size=4",
        "phases=train",
        "data.num_workers=0",
        "meter.time_budget_s=4",
        "meter.block_s=0.5",
        "checkpoint_write=false",
        "hydra.launcher.isolate=false",  # the device is replaced in this process
        f"output_dir={tmp_path / 'runs'}",
    ]
    environment = stand_in.environment(nvml_library) | {
        "CUDA_VISIBLE_DEVICES": "1",
        "STAND_IN_UUID": "bb",
        "XDG_CACHE_HOME": str(cache_dir / "xdg"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("runs/*/*/*/*/record.json")
    record = read(path)
    assert [gpu.uuid for gpu in record.host.gpus] == ["GPU-bb"]
    phase = record.phases["train"]
    kept = [one for one in phase.readings if one.use == "measured"]
    gpu_w = sum(one.own.gpu_kwh for one in kept) * 3.6e6 / sum(one.duration_s for one in kept)
    assert gpu_w == pytest.approx(200.0, rel=0.1)
    assert json.loads(path.read_text())["host"]["codecarbon"]["gpu"].startswith("counter")
    set_up = next(one for one in record.overheads if one.name == "set-up")
    assert set_up.energy.gpu_kwh * 3.6e6 / set_up.duration_s == pytest.approx(200.0, rel=0.3)
