"""The meter's claims on a real NVIDIA GPU: `make gpu-check` (`pytest -m gpu`)."""

from __future__ import annotations

import time

import pytest

from metering.meter import Meter
from metering.ranks import OneRank
from metering.record import Interval
from metering.sensors.nvml import job_gpus
from metering.sensors.own_readers import OwnReaders
from metering.settings import MeterSettings
from tasks.running import device

pytestmark = pytest.mark.gpu


@pytest.fixture
def load():
    """Keeps the GPU busy for about a given time; returns when it has finished."""
    import torch

    matrix = torch.randn(4096, 4096, device="cuda")

    def run(seconds: float) -> None:
        end_s = time.perf_counter() + seconds
        while time.perf_counter() < end_s:
            matrix.matmul(matrix)
            torch.cuda.synchronize()

    return run


def test_the_counter_agrees_with_integrated_power(load):
    readers = OwnReaders(job_gpus()[:1])
    load(2.0)
    before = readers.snapshot()
    load(20.0)
    used = readers.between(before, readers.snapshot(), 20.0)
    readers.close()
    assert used.energy.gpu_kwh is not None
    assert used.energy.gpu_kwh * 3.6e6 == pytest.approx(used.watched_j, rel=0.05)


def test_codecarbon_and_our_reading_agree_and_the_interval_closes(load, tmp_path):
    import torch

    settings = MeterSettings(time_budget_s=90.0, least_s=20.0)
    meter = Meter(settings, folder=tmp_path, ranks=OneRank(), use_gpu=True)
    meter.synchronize = torch.cuda.synchronize
    with meter:
        meter.idle()
        with meter.window("train", 1) as window:
            window.open()
            load(0.05)
            while not window.step(1):
                load(0.05)
    record = window.result()
    assert record.sensors["gpu"].how == "counter"
    # a board that is still warming up says so instead
    assert record.stop_reason == "relative_error" or any("steady" in one for one in record.flags)
    assert not any("differ" in flag for flag in record.flags)
    assert record.idle_power_w > 0
    budget = record.error_budget
    print(f"latency {1000 * meter.latency_s:.2f} ms, period {1000 * meter.sensor_period_s:.0f} ms")
    print(budget)  # kept in tests.txt
    assert budget.gap < 0.003
    assert 0 < budget.tick <= 0.02
    assert all(one.board.temperature_c for one in record.readings)


def test_the_gpu_that_pytorch_computes_on_is_the_one_that_is_metered(tmp_path):
    uuid = device.uuid("cuda", local_rank=0)
    assert uuid is not None
    with Meter(MeterSettings(), folder=tmp_path, ranks=OneRank(), use_gpu=True) as meter:
        meter.require_devices(uuid)
        assert 0.005 < meter.sensor_period_s < 0.5


def test_an_interval_of_a_short_window_holds_the_mean_of_a_long_one(load, tmp_path):
    """Steps that keep time with a sensor of 100 ms, the hardest case for one of 25 % duty."""
    import torch

    def measured(settings: MeterSettings) -> Interval:
        meter = Meter(settings, folder=tmp_path, ranks=OneRank(), use_gpu=True)
        meter.synchronize = torch.cuda.synchronize
        with meter, meter.window("train", 1) as window:
            window.open()
            done = False
            while not done:
                load(0.06)
                time.sleep(0.04)
                done = window.step(1)
        found = window.result().energy_kwh_per_sample
        assert found is not None
        return found

    short = measured(MeterSettings(time_budget_s=60.0))
    long = measured(MeterSettings(mode="fixed", num_steps=2000, num_warmup_steps=50))
    assert short.half_width is not None
    assert abs(short.mean / long.mean - 1) <= 0.01 + short.half_width / short.mean
