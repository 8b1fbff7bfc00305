"""A meter over a simulated machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.simulation.meter import simulated, simulated_meter
from benchmarks.simulation.nvml import Machine
from metering.meter import Meter
from metering.ranks import Ranks
from metering.settings import MeterSettings

MakeMeter = Callable[..., Meter]


@pytest.fixture
def make_meter(tmp_path: Path) -> Iterator[MakeMeter]:
    """`make_meter(machine, **settings)`: a meter whose every sensor is simulated. error, call_s:
    of CodeCarbon's reading, and how long it takes."""
    with ExitStack() as stack:

        def make(
            machine: Machine,
            *,
            ranks: Ranks | None = None,
            error: float = 0.0,
            codecarbon_s: float = 0.0,
            **settings: object,
        ) -> Meter:
            stack.enter_context(simulated(machine, error=error, call_s=codecarbon_s))
            chosen = MeterSettings(**settings)  # type: ignore[arg-type]
            return simulated_meter(machine, tmp_path, chosen, ranks)

        yield make
