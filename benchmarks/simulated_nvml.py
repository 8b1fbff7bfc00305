"""NVML as a machine of our own making answers it: GPUs whose true energy is known.

`Machine` stands in for the `pynvml` module. Time is simulated: nothing sleeps.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest


class NVMLError(Exception):
    """What NVML raises for anything it cannot do."""


@dataclass
class SimulatedGpu:
    """A GPU with an energy counter in millijoules that moves every `period_s`.

    duty: the share of a period in which the board really looks at its power; what it saw then
        stands for the whole period. `true_j` is the energy that no sensor distorts.
    """

    uuid: str
    name: str = "Simulated GPU"
    power_limit_w: float = 300.0
    has_counter: bool = True
    period_s: float = 0.1
    duty: float = 1.0
    phase_s: float = 0.0
    mig_uuids: Sequence[str] = ()
    mig_mode: bool | None = None  # None: the GPU knows no MIG
    lost: bool = False  # fallen off the bus
    sm_clock_mhz: int = 1500
    memory_clock_mhz: int = 1500
    throttle_reasons: int = 0  # NVML's clocks-event bits
    pids: list[int] = field(default_factory=list)
    true_j: float = 0.0
    power_w: float = 50.0
    _now_s: float = 0.0
    _counted_j: float = 0.0
    _seen_j: float = 0.0

    def advance(self, duration_s: float, power_w: float) -> None:
        """Draw `power_w` for `duration_s`."""
        self.power_w = power_w
        self.true_j += power_w * duration_s
        end_s = self._now_s + duration_s
        while self._now_s < end_s - 1e-12:
            local_s = (self._now_s + self.phase_s) % self.period_s
            looking_s = self.duty * self.period_s
            looks = local_s < looking_s - 1e-12
            edge_s = looking_s if looks else self.period_s
            part_s = max(1e-9, min(edge_s - local_s, end_s - self._now_s))
            if looks:
                self._seen_j += power_w * part_s / self.duty
            before = math.floor((self._now_s + self.phase_s + 1e-9) / self.period_s)
            self._now_s += part_s
            if math.floor((self._now_s + self.phase_s + 1e-9) / self.period_s) > before:
                self._counted_j += self._seen_j
                self._seen_j = 0.0

    def reset_counter(self) -> None:
        self._counted_j = 0.0

    @property
    def counter_mj(self) -> int:
        return int(self._counted_j * 1000)


class Machine:
    """GPUs, a clock, and the functions of `pynvml` that the meter calls."""

    NVMLError = NVMLError
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0

    def __init__(self, *gpus: SimulatedGpu) -> None:
        self.gpus = gpus
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def work(self, duration_s: float, *powers_w: float) -> None:
        """All GPUs draw their power (the last one given stands for the rest)."""
        self.now_s += duration_s
        for index, gpu in enumerate(self.gpus):
            gpu.advance(duration_s, powers_w[min(index, len(powers_w) - 1)])

    def idle(self, duration_s: float) -> None:
        """All GPUs draw 50 W."""
        self.work(duration_s, 50.0)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> Machine:
        monkeypatch.setitem(sys.modules, "pynvml", self)  # type: ignore[arg-type]
        for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS"):
            monkeypatch.delenv(name, raising=False)
        return self

    def nvmlInit(self) -> None:
        if not self.gpus:
            raise NVMLError("no driver")

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
        return handle.uuid

    def nvmlDeviceGetName(self, handle: SimulatedGpu) -> str:
        return handle.name

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: SimulatedGpu) -> int:
        return int(handle.power_limit_w * 1000)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: SimulatedGpu) -> int:
        if not handle.has_counter:
            raise NVMLError("not supported")
        return handle.counter_mj

    def nvmlDeviceGetPowerUsage(self, handle: SimulatedGpu) -> int:
        return int(handle.power_w * 1000)

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
        return 55

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: SimulatedGpu) -> int:
        return handle.throttle_reasons


class Workload:
    """Training steps whose mean energy per sample is known: `true_j_per_sample`.

    A step computes for 60 % of its time and waits for 40 %; its length and its power wander
    slowly (AR(1), `correlation`) and jitter; the first `num_cold_steps` draw less power.
    """

    def __init__(
        self,
        machine: Machine,
        seed: int,
        *,
        step_s: float = 0.08,
        batch_size: int = 32,
        noise: float = 0.05,
        correlation: float = 0.5,
        num_cold_steps: int = 60,
    ) -> None:
        self.machine, self.random = machine, random.Random(seed)
        self.step_s, self.batch_size, self.noise = step_s, batch_size, noise
        self.correlation, self.num_cold_steps = correlation, num_cold_steps
        self.busy_w, self.waiting_w = 250.0, 90.0
        self._drift = 0.0
        self._num_steps = 0

    @property
    def true_j_per_sample(self) -> float:
        """Per GPU."""
        return self.step_s * (0.6 * self.busy_w + 0.4 * self.waiting_w) / self.batch_size

    def step(self) -> int:
        draw = self.random.gauss(0, self.noise * math.sqrt(1 - self.correlation**2))
        self._drift = self.correlation * self._drift + draw
        scale = max(0.1, 1 + self._drift)
        if self._num_steps < self.num_cold_steps:
            scale *= 0.7 + 0.3 * self._num_steps / self.num_cold_steps
        self._num_steps += 1
        # time wanders, power stays under the board's limit: their product has the known mean
        self.machine.work(0.6 * self.step_s * scale, self.busy_w)
        self.machine.work(0.4 * self.step_s * scale, self.waiting_w)
        return self.batch_size
