"""The meter's claims on a real NVIDIA GPU: `make gpu-check` (`pytest -m gpu`), three minutes.

Each test tells what it measured as soon as it knows it: on the terminal, and as a line of JSON in
the file that `GPU_CHECK_FINDINGS` names, so that a check that is cut off has not been for nothing.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu_load, sensor_response
from benchmarks.gpu_load import GpuLoad
from metering.board_state import BoardState
from metering.budget import LAG_S
from metering.meter import Meter
from metering.ranks import OneRank
from metering.record import PhaseRecord, Reading
from metering.sensors.nvml import job_gpus
from metering.sensors.own_readers import OwnReaders
from metering.settings import MeterSettings

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(100)]

J_PER_KWH = 3.6e6
Step = Callable[[], None]
Tell = Callable[..., None]


@pytest.fixture(scope="module")
def load() -> GpuLoad:
    return gpu_load.CudaLoad()


@pytest.fixture(scope="module")
def meter(load: GpuLoad, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meter]:
    folder = tmp_path_factory.mktemp("meter")
    made = Meter(MeterSettings(), folder=folder, ranks=OneRank(), use_gpu=True)
    made.synchronize = load.wait
    with made:
        yield made


@pytest.fixture
def tell(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Tell:
    """`tell(name=value, ...)`."""

    def told(**findings: Any) -> None:
        with capfd.disabled():
            for name, value in findings.items():
                if name != "blocks":
                    print(f"\n    {name}: {value}", end="", flush=True)
        if path := os.environ.get("GPU_CHECK_FINDINGS"):
            when = datetime.now(UTC).isoformat(timespec="seconds")
            known = {"test": request.node.name, "at": when, **findings}
            line = json.dumps(known, default=plain)
            with Path(path).open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")

    return told


def plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def in_a_window(meter: Meter, step: Step, **settings: Any) -> PhaseRecord:
    """What a window says of `step`, which is one sample."""
    meter.settings = MeterSettings(**settings)
    with meter.window("train", 1) as window:
        window.open()
        step()
        while not window.step(1):
            step()
    return window.result()


def rates_of(record: PhaseRecord) -> dict[str, Any]:
    """Joules per sample with their half-width, and all that is said of them; `blocks`: of each
    seconds, steps, joules (counter, CodeCarbon, integrated power), gap and the board's state."""
    energy = record.energy_kwh_per_sample
    assert energy is not None
    half_width = math.inf if energy.half_width is None else energy.half_width
    return {
        "j_per_sample": energy.mean * J_PER_KWH,
        "relative_half_width": half_width / energy.mean,
        "measured_s": sum(one.duration_s for one in record.readings if one.use == "measured"),
        "stop_reason": record.stop_reason,
        "flags": record.flags,
        "error_budget": record.error_budget,
        "blocks": [block_of(one) for one in record.readings],
    }


def block_of(one: Reading) -> list[Any]:
    board = one.board or BoardState()
    return [
        one.use,
        round(one.duration_s, 4),
        one.num_steps,
        *(
            None if kwh is None else round(kwh * J_PER_KWH, 1)
            for kwh in (one.own.gpu_kwh, one.energy.gpu_kwh, one.watched_kwh)
        ),
        round(one.gap_s, 5),
        board.power_w,
        board.temperature_c,
        board.sm_clock_mhz,
        board.throttle_reasons,
    ]


def test_the_gpu_that_pytorch_computes_on_is_the_one_that_is_metered(meter, load, tell):
    uuid = load.uuid()
    tell(uuid=uuid, period_s=meter.sensor_period_s, latency_s=meter.latency_s)
    assert uuid is not None
    meter.require_devices(uuid)
    assert 0.005 < meter.sensor_period_s < 0.5


def test_the_counter_agrees_with_integrated_power(load, tell):
    readers = OwnReaders(job_gpus()[:1])
    run_for(load, 2.0)
    before, began_s = readers.snapshot(), time.perf_counter()
    run_for(load, 12.0)
    duration_s = time.perf_counter() - began_s
    used = readers.between(before, readers.snapshot(), duration_s)
    readers.close()
    load.rest()
    counted_j = (used.energy.gpu_kwh or math.nan) * J_PER_KWH
    tell(counted_j=counted_j, integrated_power_j=used.watched_j, duration_s=duration_s)
    assert counted_j == pytest.approx(used.watched_j, rel=0.05)


def test_the_counter_lags_by_no_more_than_a_window_allows_for(load, tell):
    """Of the other paths it is told, and nothing depends on it."""
    measured, period_s = sensor_response.switched(load, job_gpus()[0], num_cycles=5)
    by_path = {one.path: one for one in sensor_response.responses(measured)}
    tell(period_s=period_s, **by_path)
    assert by_path["counter"].delay_on_s < 2 * period_s + LAG_S


def test_a_steady_load_is_measured_and_the_device_waits_little(meter, load, tell):
    """Marks on the device itself say how long it had no work."""
    meter.settings = MeterSettings(idle_s=1.0)
    meter.idle()
    idle: list[tuple[Any, Any]] = []
    opened = ended = load.mark()

    def step() -> None:
        nonlocal ended
        begins = load.mark()
        idle.append((ended, begins))
        load.step()
        ended = load.mark()

    # as long as in a window of the default budget, where calls take 3 ms
    blocks = {"block_s": 3.0, "min_blocks": 5}
    record = in_a_window(meter, step, time_budget_s=34.0, least_s=20.0, **blocks)
    load.rest()
    rates, kept = rates_of(record), [one for one in record.readings if one.use == "measured"]
    measured_s = sum(one.duration_s + one.gap_s for one in kept)
    by_clock = sum(one.gap_s for one in kept) / measured_s
    warm = [pair for pair in idle if load.between_s(opened, pair[0]) > 5.0]  # blocks have grown
    waited_s = sum(load.between_s(*pair) for pair in warm)
    on_device = waited_s / load.between_s(warm[0][0], warm[-1][1])
    tell(idle_w=record.idle_power_w, gap_share=by_clock, device_idle_share=on_device, **rates)
    assert record.sensors["gpu"].how == "counter"
    assert by_clock < 0.003
    assert on_device < 0.003
    assert record.idle_power_w > 0
    assert not any("differ" in flag for flag in record.flags)
    # a board that is still warming up says so instead
    assert rates["relative_half_width"] <= 0.025 or any("steady" in one for one in record.flags)
    assert 0 < record.error_budget.tick <= 0.02
    assert all(one.board.temperature_c for one in record.readings)


def test_a_load_that_rises_is_waited_for_or_told(meter, load, tell):
    """The device works for three tenths of the time at first, and all of it after 40 s."""
    began_s = time.perf_counter()

    def step() -> None:
        load.fill(0.05, min(1.0, 0.3 + 0.7 * (time.perf_counter() - began_s) / 40.0))

    record = in_a_window(meter, step, time_budget_s=46.0, least_s=20.0)
    at_last = in_a_window(meter, step, mode="fixed", num_steps=100)
    load.rest()
    rates, final = rates_of(record), rates_of(at_last)
    error = rates["j_per_sample"] / final["j_per_sample"] - 1
    is_told = any("not steady" in one for one in record.flags)
    tell(error=error, is_told=is_told, final_j_per_sample=final["j_per_sample"], **rates)
    assert is_told or abs(error) <= rates["relative_half_width"] + 0.01
    assert not is_told or record.error_budget.drift > 0.005


def test_an_interval_of_a_short_window_holds_the_mean_of_a_long_one(meter, load, tell):
    """Steps that keep time with a sensor of 100 ms, the hardest case for one of 25 % duty."""

    def step() -> None:
        load.fill(0.1, 0.6)

    short = rates_of(in_a_window(meter, step, time_budget_s=14.0))
    tell(**short)
    long = rates_of(in_a_window(meter, step, mode="fixed", num_steps=280, num_warmup_steps=5))
    load.rest()
    error = short["j_per_sample"] / long["j_per_sample"] - 1
    tell(error=error, **long)
    assert abs(error) <= 0.01 + short["relative_half_width"]


def run_for(load: GpuLoad, seconds: float) -> None:
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        load.step()
        load.wait()
