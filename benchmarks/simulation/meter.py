"""The real meter over a simulated machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

from benchmarks.simulation.nvml import MASKS, Machine
from metering import node_reader
from metering.block import Difference
from metering.meter import Meter
from metering.ranks import OneRank, Ranks
from metering.record import Component, Energy, PhaseRecord, Sensor
from metering.sensors.own_readers import OwnReaders
from metering.settings import MeterSettings

J_PER_KWH = 3.6e6


class SimulatedCodeCarbon:
    """CodeCarbon's part on a machine where time is simulated: it reads the GPUs that it was given
    through the same counters, `error` of it wrong, takes `call_s` to begin and to end a task, in
    which the GPUs have no work, and has no CPU or RAM sensor."""

    machine: Machine
    error = 0.0
    call_s = 0.0

    def __init__(
        self, folder: Path, gpu_indices: list[int], country_iso_code: str, **_: bool
    ) -> None:
        self._gpus = [self.machine.gpus[index] for index in gpu_indices]

    def begin(self) -> None:
        self._before_mj = [gpu.counter_mj for gpu in self._gpus]
        self.machine.idle(self.call_s)

    def end(self) -> Difference:
        used = (gpu.counter_mj - b for gpu, b in zip(self._gpus, self._before_mj, strict=True))
        joules = sum(used) / 1000 * (1 + self.error)
        self.machine.idle(self.call_s)
        return Difference(Energy(gpu_kwh=max(0.0, joules / J_PER_KWH) if self._gpus else None))

    def sensors(self) -> dict[Component, Sensor]:
        return {"cpu": Sensor("absent"), "ram": Sensor("absent")}

    def stop(self) -> None: ...


class WithoutThreads(OwnReaders):
    """Time is simulated: the boards are looked at when a counter is read."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments, background=False)


@contextmanager
def simulated(machine: Machine, **codecarbon: float) -> Iterator[None]:
    """Every sensor is `machine`'s. codecarbon: attributes of `SimulatedCodeCarbon`."""
    bound = type("Bound", (SimulatedCodeCarbon,), {"machine": machine, **codecarbon})
    with (
        _as_pynvml(machine),
        patch.dict(os.environ),
        patch.object(node_reader, "CodeCarbonMeter", bound),
        patch.object(node_reader, "OwnReaders", WithoutThreads),
        patch("metering.sensors.own_readers.readable_domains", lambda: ()),
        patch.object(Meter, "cpu_times", lambda _: None),  # this machine's are not simulated
    ):
        for name in MASKS:
            os.environ.pop(name, None)
        yield


@contextmanager
def _as_pynvml(machine: Machine) -> Iterator[None]:
    before = sys.modules.get("pynvml")
    modules: dict[str, Any] = sys.modules
    modules["pynvml"] = machine
    try:
        yield
    finally:
        del sys.modules["pynvml"]
        if before is not None:
            sys.modules["pynvml"] = before


def simulated_meter(
    machine: Machine, folder: Path, settings: MeterSettings, ranks: Ranks | None = None
) -> Meter:
    """Inside `simulated`."""
    meter = Meter(
        settings,
        folder=folder,
        ranks=ranks or OneRank(),
        use_gpu=True,
        num_gpus=len(machine.gpus),
    )
    meter.clock, meter.sleep = machine.clock, machine.idle
    return meter


class Load(Protocol):
    """Something that computes on a simulated machine."""

    batch_size: int

    def step(self) -> int:
        """One step; the number of samples."""


def measure(meter: Meter, load: Load) -> PhaseRecord:
    """Train until the meter is satisfied."""
    with meter, meter.window("train", load.batch_size) as window:
        window.open()
        while not window.step(load.step()):
            pass
    return window.result()
