"""AMD GPUs, read by the real CodeCarbon through an AMD SMI whose counters we move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from codecarbon.core import gpu, gpu_amd

from benchmarks.simulation.nvml import Machine
from metering.block import MeterError
from metering.doctor import examine
from metering.meter import Meter
from metering.plausibility import other_fault
from metering.ranks import OneRank
from metering.sensors.amd import job_gpu_indices
from metering.sensors.codecarbon import CodeCarbonMeter
from metering.sensors.nvml import MaskError
from metering.settings import MeterSettings

J_PER_KWH = 3.6e6


class SimulatedAmdSmi:
    """Two GPUs whose energy counters, in units of 15.3 microjoules, stand in `joules`, and whose
    UUIDs ROCm writes as GPU-0A1B2C3D4E5F6071 and GPU-0a1bffffffffffff."""

    RESOLUTION_UJ = 15.3
    amdsmi_exception = SimpleNamespace(AmdSmiLibraryException=RuntimeError)
    AmdSmiException = RuntimeError

    def __init__(self) -> None:
        self.joules = [1000.0, 1000.0]
        self.serials = ["0xA1B2C3D4E5F6071", "0x0A1BFFFFFFFFFFFF"]

    def amdsmi_init(self) -> None: ...

    def amdsmi_get_processor_handles(self) -> list[int]:
        return list(range(len(self.joules)))

    def amdsmi_get_gpu_device_bdf(self, handle: int) -> str:
        return f"0000:0{handle}:00.0"

    def amdsmi_get_gpu_device_uuid(self, handle: int) -> str:
        return f"uuid-{handle}"

    def amdsmi_get_gpu_asic_info(self, handle: int) -> dict[str, str]:
        return {"market_name": "AMD Instinct MI210", "asic_serial": self.serials[handle]}

    def amdsmi_get_gpu_vram_usage(self, handle: int) -> dict[str, int]:
        return {"vram_total": 65536, "vram_used": 1024}

    def amdsmi_get_power_cap_info(self, handle: int) -> dict[str, int]:
        return {"power_cap": 300_000_000}

    def amdsmi_get_power_info(self, handle: int) -> dict[str, int]:
        return {"average_socket_power": 200}

    def amdsmi_get_energy_count(self, handle: int) -> dict[str, float]:
        ticks = int(self.joules[handle] * 1e6 / self.RESOLUTION_UJ)
        return {"energy_accumulator": ticks, "counter_resolution": self.RESOLUTION_UJ}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedAmdSmi]:
    Machine().install(monkeypatch)  # no NVIDIA driver
    simulated = SimulatedAmdSmi()
    monkeypatch.setattr(gpu_amd, "amdsmi", simulated)
    monkeypatch.setattr(gpu, "AMDSMI_AVAILABLE", True)
    monkeypatch.setattr(gpu, "PYNVML_AVAILABLE", False)
    monkeypatch.setattr(gpu, "is_rocm_system", lambda: True)
    monkeypatch.setattr(gpu, "is_nvidia_system", lambda: False)
    yield simulated


@pytest.mark.parametrize(
    ("environment", "indices"),
    [
        ({}, [0, 1]),
        ({"HIP_VISIBLE_DEVICES": "1"}, [1]),
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, [1, 0]),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}, [1]),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "1"}, []),
        ({"HIP_VISIBLE_DEVICES": ""}, []),
        ({"HIP_VISIBLE_DEVICES": "-1"}, []),
        ({"HIP_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "0"}, [1]),
        ({"ROCR_VISIBLE_DEVICES": "GPU-0a1bffffffffffff"}, [1]),
        ({"ROCR_VISIBLE_DEVICES": "GPU-0A1BF,GPU-0A1B2C3D4E5F6071"}, [1, 0]),
        ({"ROCR_VISIBLE_DEVICES": "1,GPU-0a1b2"}, [1, 0]),
        ({"ROCR_VISIBLE_DEVICES": "GPU-0a1bf", "HIP_VISIBLE_DEVICES": "0"}, [1]),
        ({"HIP_VISIBLE_DEVICES": "GPU-0a1bf"}, [1]),
        ({"GPU_DEVICE_ORDINAL": "0,1"}, [0, 1]),
        ({"GPU_DEVICE_ORDINAL": "0", "HIP_VISIBLE_DEVICES": "1"}, [1]),
        ({"GPU_DEVICE_ORDINAL": "1", "ROCR_VISIBLE_DEVICES": "1"}, [1]),  # as SLURM sets them
    ],
)
def test_masks_apply_one_after_the_other(library, environment, indices):
    assert job_gpu_indices(environment) == indices


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ROCR_VISIBLE_DEVICES": "GPU-0a1b"}, "GPU-0a1b fits 2 of 2 GPUs"),
        ({"ROCR_VISIBLE_DEVICES": "GPU-dead"}, "GPU-dead fits 0 of 2 GPUs"),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "GPU-0a1b2"}, "fits 0 of 1 GPUs"),
        ({"HIP_VISIBLE_DEVICES": "first"}, "HIP_VISIBLE_DEVICES=first: first is neither"),
        ({"CUDA_VISIBLE_DEVICES": "²"}, "neither an index nor a UUID"),
        ({"GPU_DEVICE_ORDINAL": "1"}, "set HIP_VISIBLE_DEVICES instead"),
    ],
)
def test_a_mask_that_does_not_tell_which_gpu_computes_is_refused(
    library, tmp_path, environment, said
):
    with pytest.raises(MaskError, match=said):
        job_gpu_indices(environment)
    (line,) = [line for line in examine(environment, tmp_path) if line.topic.startswith("gpu")]
    assert line.level == "failure"
    assert said in line.finding
    assert line.cure


def test_where_no_amd_gpu_is_nvidias_masks_are_no_matter_of_ours(library):
    library.joules = []
    assert job_gpu_indices({"CUDA_VISIBLE_DEVICES": "MIG-77"}) == []


def test_the_doctor_names_amd_gpus(library, tmp_path):
    (line,) = [line for line in examine({}, tmp_path) if line.topic == "gpu"]
    assert line.level == "ok"
    assert "AMD GPUs: 0, 1" in line.finding


def test_the_doctor_tells_masks_that_leave_no_gpu_from_no_gpu(library, tmp_path):
    # as SLURM sets them for AMD GPU 1 unless it is told not to
    both = {"ROCR_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "1"}
    (line,) = [line for line in examine(both, tmp_path) if line.topic == "gpu mask"]
    assert line.level == "failure"
    assert "none of the 2 AMD GPUs" in line.finding
    assert line.cure


def test_only_the_jobs_gpu_is_counted(library, tmp_path: Path):
    meter = CodeCarbonMeter(tmp_path, [1], "GBR")
    meter.begin()
    library.joules[0] += 50.0
    library.joules[1] += 90.0
    energy = meter.end().energy
    assert energy.gpu_kwh is not None
    assert energy.gpu_kwh * J_PER_KWH == pytest.approx(90.0, rel=1e-3)
    sensor = meter.sensors()["gpu"]
    assert (sensor.how, sensor.name) == ("counter", "AMD SMI through CodeCarbon")
    meter.stop()


def test_the_meter_finds_amd_gpus_where_nvml_shows_none(library, tmp_path: Path):
    settings = MeterSettings(idle_s=0)
    with Meter(settings, folder=tmp_path, ranks=OneRank(), use_gpu=True) as meter:
        meter.begin_task()
        meter.begin_block()
        library.joules[0] += 30.0
        block, task = meter.end_block(), meter.end_task()
    assert block is not None
    assert task is not None
    block = task.share(block, is_whole=True)
    assert block.own.gpu_kwh is None
    assert block.energy.gpu_kwh is not None
    assert block.energy.gpu_kwh * J_PER_KWH == pytest.approx(30.0, rel=1e-3)


def test_without_any_gpu_library_the_run_fails(library, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(gpu, "AMDSMI_AVAILABLE", False)
    meter = Meter(MeterSettings(), folder=tmp_path, ranks=OneRank(), use_gpu=True)
    with pytest.raises(MeterError, match="neither NVML nor AMD SMI"), meter:
        pass


@pytest.mark.parametrize(
    ("gpu_kwh", "duration_s", "said"),
    [(None, 1.0, "no GPU energy"), (0.0, 1.0, "stood still"), (0.0, 0.1, ""), (1e-6, 1.0, "")],
)
def test_a_reading_of_nothing_is_a_fault(gpu_kwh, duration_s, said):
    fault = other_fault(gpu_kwh, duration_s)
    assert said in fault
    assert bool(fault) == bool(said)
