"""A meter whose sensors are simulated: what tests and benchmarks of the meter share."""

from __future__ import annotations

from pathlib import Path

from benchmarks.simulated_nvml import Machine, Workload
from metering.block import Difference
from metering.meter import Meter
from metering.record import Component, Energy, PhaseRecord, Sensor

J_PER_KWH = 3.6e6


class SimulatedCodeCarbon:
    """CodeCarbon's part of a block on a machine where time is simulated: it reads the GPUs that
    it was given through the same counters, `error` of it wrong, and has no CPU or RAM sensor."""

    machine: Machine
    error = 0.0

    def __init__(self, folder: Path, gpu_indices: list[int], country_iso_code: str) -> None:
        self._gpus = [self.machine.gpus[index] for index in gpu_indices]

    def begin(self) -> None:
        self._before_mj = [gpu.counter_mj for gpu in self._gpus]

    def end(self) -> Difference:
        used = (gpu.counter_mj - b for gpu, b in zip(self._gpus, self._before_mj, strict=True))
        joules = sum(used) / 1000 * (1 + self.error)
        return Difference(Energy(gpu_kwh=max(0.0, joules / J_PER_KWH) if self._gpus else None))

    def sensors(self) -> dict[Component, Sensor]:
        return {"cpu": Sensor("absent"), "ram": Sensor("absent")}

    def stop(self) -> None: ...


def measure(meter: Meter, workload: Workload) -> PhaseRecord:
    """Train until the meter is satisfied."""
    with meter, meter.window("train", workload.batch_size) as window:
        window.open()
        while not window.step(workload.step()):
            pass
    return window.result()
