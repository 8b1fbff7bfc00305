"""A meter over a simulated machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.simulation.meter import simulated, simulated_meter
from benchmarks.simulation.nvml import Machine
from metering.meter import Meter
from metering.ranks import Ranks
from metering.settings import MeterSettings
from tests.conftest import ROOT
from tests.metering.nvml_stand_in.state import StandIn, StandInGpu, compile_library

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


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for NVML's C library, compiled."""
    return compile_library(tmp_path_factory.mktemp("nvml"))


StandInRun = Callable[..., Any]


@pytest.fixture
def over_stand_in(nvml_library: Path, tmp_path: Path) -> StandInRun:
    """`over_stand_in("window", gpu, ...)`: what `nvml_stand_in.script` prints over these GPUs.
    environment: more variables, masks for instance."""

    def run(name: str, *gpus: StandInGpu, init_error: int = 0, **environment: str) -> Any:
        stand_in = StandIn(tmp_path, list(gpus), init_error=init_error).write()
        command = [sys.executable, "-m", "tests.metering.nvml_stand_in.script", name, str(tmp_path)]
        done = subprocess.run(
            command,
            env=stand_in.environment(nvml_library) | environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        return {**answer, "begin_s": stand_in.begin_s}

    return run
