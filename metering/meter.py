"""First meter: CodeCarbon task windows, warm-up found from the blocks, Student-t stopping rule."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metering.ranks import Ranks
from metering.record import Energy, Interval, Overhead, PhaseRecord, Reading, Sensor
from metering.settings import MeterSettings


@dataclass(frozen=True)
class Progress:
    """What a person wants to know while a window is open."""

    phase: str
    num_blocks: int
    warm: bool
    relative_half_width: float | None
    elapsed_s: float
    budget_s: float


class Meter:
    """One per node; reads on local rank 0 only."""

    def __init__(
        self, settings: MeterSettings, *, folder: Path, ranks: Ranks,
        say: Callable[[Any], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.settings, self.folder, self.ranks, self.say = settings, folder, ranks, say
        self.synchronize: Callable[[], None] = lambda: None
        self._count = 0

    def __enter__(self) -> Meter:
        from codecarbon import OfflineEmissionsTracker

        self.tracker = OfflineEmissionsTracker(
            project_name="watt-for-what", measure_power_secs=1, api_call_interval=-1,
            api_endpoint="", api_key=None, output_dir=str(self.folder), output_file="emissions.csv",
            save_to_file=True, save_to_api=False, save_to_logger=False, save_to_prometheus=False,
            save_to_logfire=False, gpu_ids=None, emissions_endpoint=None, tracking_mode="machine",
            log_level="critical", on_csv_write="append", logger_preamble="", force_cpu_power=None,
            force_ram_power=None, pue=1.0, allow_multiple_runs=True,
            country_iso_code=self.settings.country_iso_code,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self.tracker.stop()

    def open_block(self) -> None:
        self._count += 1
        self.tracker.start_task(f"block-{self._count}")

    def close_block(self) -> tuple[float, Energy]:
        data = self.tracker.stop_task()
        return data.duration, Energy(None, data.cpu_energy, data.ram_energy)

    @contextlib.contextmanager
    def overhead(self, name: str) -> Iterator[_Overhead]:
        result = _Overhead(name)
        self.open_block()
        try:
            yield result
        finally:
            self.synchronize()
            result.reading = self.close_block()

    def idle(self) -> None:
        return None

    @contextlib.contextmanager
    def window(self, phase: str, batch_size: int) -> Iterator[Window]:
        window = Window(self, phase, batch_size)
        window.open()
        yield window
        window.close()


class _Overhead:
    def __init__(self, name: str) -> None:
        self.name, self.reading = name, (0.0, Energy())

    def result(self) -> Overhead:
        return Overhead(self.name, *self.reading)


class Window:
    """See tasks.protocol.Window."""

    def __init__(self, meter: Meter, phase: str, batch_size: int) -> None:
        self.meter, self.phase, self.batch_size = meter, phase, batch_size
        self.readings: list[Reading] = []
        self.length = 1
        self.reason = "end_of_data"

    def open(self) -> None:
        self.began = time.perf_counter()
        self._start()

    def _start(self) -> None:
        self.steps = self.samples = 0
        self.wait = 0.0
        self.meter.synchronize()
        self.meter.open_block()

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        self.steps += 1
        self.samples += num_samples
        self.wait += data_wait_s
        if self.steps < self.length:
            return False
        self._end()
        settings = self.meter.settings
        elapsed = time.perf_counter() - self.began
        last = self.readings[-1]
        if settings.mode == "adaptive":
            if last.duration_s < settings.block_s:
                self.length = math.ceil(self.length * min(4, settings.block_s / last.duration_s))
            interval = self._interval()
            if len(self._measured()) >= settings.min_blocks and interval is not None:
                spread = interval.relative_half_width
                if spread is not None and spread <= settings.relative_error:
                    self.reason = "relative_error"
            if elapsed > settings.time_budget_s:
                self.reason = "time_budget"
            if len(self.readings) >= settings.max_blocks:
                self.reason = "max_blocks"
        elif sum(r.num_steps for r in self.readings) >= (settings.num_steps or 0):
            self.reason = "num_steps"
        interval = self._interval()
        self.meter.say(
            Progress(
                self.phase,
                len(self.readings),
                len(self.readings) > 2,
                interval.relative_half_width if interval else None,
                elapsed,
                settings.time_budget_s,
            )  # fmt: skip
        )
        if self.reason != "end_of_data":
            return True
        self._start()
        return False

    def _end(self) -> None:
        self.meter.synchronize()
        duration, energy = self.meter.close_block()
        self.readings.append(
            Reading(
                time.perf_counter() - self.began,
                duration,
                self.steps,
                self.samples,
                energy,
                data_wait_s=self.wait,
            )  # fmt: skip
        )
        self.steps = 0

    def _measured(self) -> list[Reading]:
        return self.readings[2:] if len(self.readings) > 3 else self.readings

    def _interval(self, rate: Callable[[Reading], float] | None = None) -> Interval | None:
        from scipy import stats

        rate = rate or (lambda r: (r.energy.total_kwh or 0) / r.num_samples)
        values = [rate(r) for r in self._measured()]
        mean = sum(values) / len(values)
        if len(values) < 2:
            return Interval(mean, None, num_blocks=len(values))
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
        half = float(stats.t.ppf(0.975, len(values) - 1)) * spread / math.sqrt(len(values))
        return Interval(mean, half, num_blocks=len(values))

    def close(self) -> None:
        if self.steps:
            self._end()

    def result(self) -> PhaseRecord:
        total = sum(r.duration_s for r in self.readings)
        return PhaseRecord(
            phase=self.phase, readings=tuple(self.readings),
            sensors={"gpu": Sensor("absent"), "cpu": Sensor("modelled"), "ram": Sensor("modelled")},
            energy_kwh_per_sample=self._interval(),
            duration_s_per_sample=self._interval(lambda r: r.duration_s / r.num_samples),
            stop_reason=self.reason, batch_size=self.batch_size,
            data_wait_share=sum(r.data_wait_s or 0 for r in self.readings) / total,
        )  # fmt: skip
