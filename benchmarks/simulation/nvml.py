"""NVML as a machine of our own making answers it: GPUs whose true energy is known.

`Machine` stands in for the `pynvml` module. Time is simulated: nothing sleeps.
"""

from __future__ import annotations

import bisect
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

MASKS = ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS")


class NVMLError(Exception):
    """What NVML raises for anything it cannot do."""


class NVMLErrorLibraryNotFound(NVMLError):
    """There is no NVML."""


class NVMLErrorDriverNotLoaded(NVMLError):
    """There is NVML, and no driver."""


@dataclass
class SimulatedGpu:
    """A GPU with an energy counter in millijoules that moves every `period_s`.

    duty: the share of a period in which the board really looks at its power; what it saw then
        stands for the whole period. lag_s: how much older than its tick the counter's value is.
        ambient_c, c_per_w, heat_tau_s: the board's temperature follows its power.
        `true_j` is the energy that no sensor distorts.
    """

    uuid: str
    name: str = "Simulated GPU"
    power_limit_w: float = 300.0
    has_counter: bool = True
    has_power_fields: bool = True
    period_s: float = 0.1
    duty: float = 1.0
    phase_s: float = 0.0
    lag_s: float = 0.0
    mig_uuids: Sequence[str] = ()
    mig_mode: bool | None = None  # None: the GPU knows no MIG
    lost: bool = False  # fallen off the bus
    sm_clock_mhz: int = 1500
    memory_clock_mhz: int = 1500
    throttle_reasons: int = 0  # NVML's clocks-event bits
    pids: list[int] = field(default_factory=list)
    idle_w: float = 50.0
    power_w: float = 50.0
    temperature_c: float = 55.0
    ambient_c: float = 30.0
    c_per_w: float = 0.1
    heat_tau_s: float = 0.0  # 0: the temperature stays as it is
    # from one second to another the counter stands still; then it counts again, and all of it
    stalls_s: Sequence[tuple[float, float]] = ()
    jitter_s: float = 0.0  # a tick comes up to so much earlier or later, from one to the next
    rhythm: Sequence[float] = (1.0,)  # of periods, how long one after the other lasts; mean 1
    wraps_at_mj: int = 2**64
    _times_s: list[float] = field(default_factory=lambda: [0.0])
    _joules: list[float] = field(default_factory=lambda: [0.0])
    _seen_j: float = 0.0
    _num_periods_seen: int = 0
    _offset_j: float = 0.0

    @property
    def true_j(self) -> float:
        return self._joules[-1]

    def advance(self, duration_s: float, power_w: float) -> None:
        """Draw `power_w` for `duration_s`."""
        self.power_w = power_w
        self._times_s.append(self._times_s[-1] + duration_s)
        self._joules.append(self._joules[-1] + power_w * duration_s)
        if self.heat_tau_s:
            target_c = self.ambient_c + self.c_per_w * power_w
            self.temperature_c += (target_c - self.temperature_c) * -math.expm1(
                -duration_s / self.heat_tau_s
            )

    def joules_at(self, time_s: float) -> float:
        """Truly used until then."""
        index = bisect.bisect_left(self._times_s, time_s)
        if index == 0:
            return 0.0
        if index == len(self._times_s):
            return self._joules[-1]
        before_s, after_s = self._times_s[index - 1 : index + 1]
        before_j, after_j = self._joules[index - 1 : index + 1]
        share = (time_s - before_s) / (after_s - before_s) if after_s > before_s else 1.0
        return before_j + share * (after_j - before_j)

    def _tick_s(self, number: int) -> float:
        part = (number * 0.6180339887498949) % 1.0  # spread evenly, without a pattern of its own
        rounds, place = divmod(number, len(self.rhythm))
        periods = rounds * len(self.rhythm) + sum(self.rhythm[:place])
        return periods * self.period_s - self.phase_s + self.jitter_s * (2 * part - 1)

    @property
    def _counted_j(self) -> float:
        now_s = self._times_s[-1]
        now_s = next(
            (begin_s for begin_s, end_s in self.stalls_s if begin_s <= now_s < end_s), now_s
        )
        num_periods = math.floor((now_s + self.phase_s + 1e-9) / self.period_s)
        if self.duty >= 1.0:
            num_periods += len(self.rhythm)  # its ticks may come so many periods earlier
            tick_s = self._tick_s(num_periods + 1)
            while tick_s > now_s + 1e-9:
                num_periods -= 1
                tick_s = self._tick_s(num_periods + 1)
            return self.joules_at(tick_s - self.lag_s)
        for period in range(self._num_periods_seen, num_periods):
            begin_s = period * self.period_s - self.phase_s - self.lag_s
            looked_s = begin_s + self.duty * self.period_s
            looked_j = self.joules_at(looked_s) - self.joules_at(begin_s)
            self._seen_j += looked_j / self.duty
        self._num_periods_seen = max(self._num_periods_seen, num_periods)
        return self._seen_j

    def reset_counter(self) -> None:
        self._offset_j = self._counted_j

    @property
    def counter_mj(self) -> int:
        return int((self._counted_j - self._offset_j) * 1000) % self.wraps_at_mj

    @property
    def average_w(self) -> float:
        """Over the last second."""
        now_s = self._times_s[-1]
        if now_s <= 0:
            return self.power_w
        window_s = min(1.0, now_s)
        return (self.true_j - self.joules_at(now_s - window_s)) / window_s


class Machine:
    """GPUs, a clock, and the functions of `pynvml` that the meter calls.

    call_s: how long a call of NVML takes, in which the GPUs have no work.
    """

    NVMLError = NVMLError
    NVMLError_LibraryNotFound = NVMLErrorLibraryNotFound
    NVMLError_DriverNotLoaded = NVMLErrorDriverNotLoaded
    NVML_SUCCESS = 0
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    NVML_FI_DEV_POWER_AVERAGE, NVML_FI_DEV_POWER_INSTANT = 185, 186

    def __init__(self, *gpus: SimulatedGpu, call_s: float = 0.0) -> None:
        self.gpus = gpus
        self.now_s = self.idle_s = 0.0
        self.call_s = call_s
        self.preempted_s: Callable[[], float] = lambda: 0.0  # how long a call is held up by others

    def clock(self) -> float:
        return self.now_s

    def work(self, duration_s: float, *powers_w: float) -> None:
        """All GPUs draw their power (the last one given stands for the rest)."""
        self.now_s += duration_s
        for index, gpu in enumerate(self.gpus):
            gpu.advance(duration_s, powers_w[min(index, len(powers_w) - 1)])

    def idle(self, duration_s: float) -> None:
        """No GPU has work; `idle_s` is the sum of it."""
        self.now_s += duration_s
        self.idle_s += duration_s
        for gpu in self.gpus:
            gpu.advance(duration_s, gpu.idle_w)

    def install(self, monkeypatch: Any) -> Machine:
        """Stand in for `pynvml`, without a mask, for one test."""
        monkeypatch.setitem(sys.modules, "pynvml", self)
        for name in MASKS:
            monkeypatch.delenv(name, raising=False)
        return self

    def nvmlInit(self) -> None:
        if not self.gpus:
            raise NVMLErrorLibraryNotFound("no driver")

    def nvmlShutdown(self) -> None: ...

    def nvmlSystemGetDriverVersion(self) -> str:
        return "550.00"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> SimulatedGpu:
        if self.gpus[index].lost:
            raise NVMLError("GPU is lost")
        return self.gpus[index]

    def nvmlDeviceGetUUID(self, handle: Any) -> str:
        uuid: str = handle.uuid
        return uuid

    def nvmlDeviceGetName(self, handle: SimulatedGpu) -> str:
        return handle.name

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: SimulatedGpu) -> int:
        return int(handle.power_limit_w * 1000)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: SimulatedGpu) -> int:
        if not handle.has_counter:
            raise NVMLError("not supported")
        if held_up_s := self.preempted_s():
            self.idle(held_up_s)
        counter_mj = handle.counter_mj
        if self.call_s and handle is self.gpus[-1]:  # all are asked at once
            self.idle(self.call_s)
        return counter_mj

    def nvmlDeviceGetPowerUsage(self, handle: SimulatedGpu) -> int:
        return int(handle.power_w * 1000)

    def nvmlDeviceGetFieldValues(self, handle: SimulatedGpu, fields: Sequence[int]) -> list[Any]:
        if not handle.has_power_fields:
            return [SimpleNamespace(nvmlReturn=3, value=None) for _ in fields]
        watts = {
            self.NVML_FI_DEV_POWER_AVERAGE: handle.average_w,
            self.NVML_FI_DEV_POWER_INSTANT: handle.power_w,
        }
        return [
            SimpleNamespace(nvmlReturn=0, value=SimpleNamespace(uiVal=int(1000 * watts[one])))
            for one in fields
        ]

    def nvmlDeviceGetMigMode(self, handle: SimulatedGpu) -> list[int]:
        if handle.mig_mode is None:
            raise NVMLError("not supported")
        return [int(handle.mig_mode), 0]  # now, and after a reset

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: SimulatedGpu) -> int:
        return len(handle.mig_uuids)

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: SimulatedGpu, index: int) -> Any:
        return SimpleNamespace(uuid=handle.mig_uuids[index])

    def nvmlDeviceGetComputeRunningProcesses(self, handle: SimulatedGpu) -> list[Any]:
        return [SimpleNamespace(pid=pid) for pid in handle.pids]

    def nvmlDeviceGetClockInfo(self, handle: SimulatedGpu, kind: int) -> int:
        return handle.sm_clock_mhz if kind == self.NVML_CLOCK_SM else handle.memory_clock_mhz

    def nvmlDeviceGetTemperature(self, handle: SimulatedGpu, kind: int) -> int:
        return round(handle.temperature_c)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: SimulatedGpu) -> int:
        return handle.throttle_reasons
