"""A meter over a simulated machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.simulated_meter import SimulatedCodeCarbon
from benchmarks.simulated_nvml import Machine
from metering.meter import Meter
from metering.ranks import OneRank, Ranks
from metering.settings import MeterSettings

MakeMeter = Callable[..., Meter]


@pytest.fixture
def make_meter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakeMeter]:
    """`make_meter(machine, **settings)`: a meter whose every sensor is simulated."""

    def make(
        machine: Machine, *, ranks: Ranks | None = None, error: float = 0.0, **settings: object
    ) -> Meter:
        machine.install(monkeypatch)
        bound = type("Bound", (SimulatedCodeCarbon,), {"machine": machine, "error": error})
        monkeypatch.setattr("metering.meter.CodeCarbonMeter", bound)
        monkeypatch.setattr("metering.sensors.own_readers.readable_domains", lambda: ())
        monkeypatch.setattr(Meter, "cpu_times", lambda _: None)  # this machine's are not simulated
        meter = Meter(
            MeterSettings(**settings),  # type: ignore[arg-type]
            folder=tmp_path,
            ranks=ranks or OneRank(),
            use_gpu=True,
            num_gpus=len(machine.gpus),
        )
        meter.clock, meter.sleep = machine.clock, machine.idle
        return meter

    yield make
