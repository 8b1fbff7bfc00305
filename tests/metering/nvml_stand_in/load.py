"""A rehearsal of `make gpu-check` over the stand-in for NVML, which draws what this load says:

python -m tests.metering.nvml_stand_in.load [--out FOLDER] [--quick]

Tensors of the benchmarks stay on the CPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import gpu_load
from benchmarks.gpu_load import STEP_S
from tests.metering.nvml_stand_in.state import StandIn, StandInGpu, compile_library

FOLDER = "STAND_IN_FOLDER"
IDLE_W, BUSY_W = 70.0, 330.0
SEEN = 0.02  # a change of power that is less is not written down


class StandInLoad:
    """`benchmarks.gpu_load.GpuLoad` on a GPU whose trace grows with every change of power. A step
    lasts its time; of a slot that is filled in part the mean power is drawn."""

    def __init__(self) -> None:
        state = dict(line.split() for line in _lines() if line.startswith("begin_s"))
        self._stand_in = StandIn(
            Path(os.environ[FOLDER]), [_gpu([(0.0, IDLE_W)])], begin_s=float(state["begin_s"])
        )
        self._watts = IDLE_W

    def step(self) -> None:
        self.fill(STEP_S, 1.0)

    def fill(self, slot_s: float, share: float) -> None:
        self._draw(IDLE_W + (BUSY_W - IDLE_W) * share)
        time.sleep(slot_s)

    def wait(self) -> None: ...

    def rest(self) -> None:
        self._draw(IDLE_W)

    def mark(self) -> float:
        return time.perf_counter()

    def between_s(self, first: float, last: float) -> float:
        return last - first

    def uuid(self) -> str | None:
        return "a"

    def _draw(self, watts: float) -> None:
        if abs(watts - self._watts) < SEEN * BUSY_W:
            return
        self._watts = watts
        (gpu,) = self._stand_in.gpus
        gpu.trace = [*gpu.trace, (self._stand_in.now_s, watts)]
        self._stand_in.write()


def _lines() -> list[str]:
    return (Path(os.environ[FOLDER]) / "state.txt").read_text(encoding="utf-8").splitlines()


def _gpu(trace: list[tuple[float, float]]) -> StandInGpu:
    return StandInGpu("GPU-a", trace=trace, lag_s=0.04, latency_s=0.003)


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stand_in = StandIn(folder, [_gpu([(0.0, IDLE_W)])]).write()
        environment = stand_in.environment(compile_library(folder)) | {
            FOLDER: place,
            "PYTEST_ADDOPTS": f"-p {__spec__.name}",
        }
        command = [sys.executable, "-m", "benchmarks.gpu_check", *arguments]
        return subprocess.run(command, env=environment, check=False).returncode


def pytest_configure() -> None:
    """As a plugin of pytest: the tests' load is this one."""
    gpu_load.CudaLoad = StandInLoad  # type: ignore[assignment, misc]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
