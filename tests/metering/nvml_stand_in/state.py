"""The state file of the stand-in for NVML (`nvml.c`): what each GPU is and draws."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

SOURCE = Path(__file__).with_name("nvml.c")
LIBRARY = "libnvidia-ml.so.1"


def compile_library(folder: Path) -> Path:
    """`folder/libnvidia-ml.so.1`; the loader finds it where `LD_LIBRARY_PATH` names `folder`."""
    library = folder / LIBRARY
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE,
               "-lm", "-lpthread"]  # fmt: skip
    subprocess.run(command, check=True)
    return library


@dataclass
class StandInGpu:
    """trace: (second, watts) from which on it draws them; wave: period in seconds, low and high
    watts, in its place; period_s, duty, lag_s: of the counter; latency_s: of every call; errors:
    NVML's code by function; mig: `None` where the board knows no MIG."""

    uuid: str
    name: str = "NVIDIA A100-SXM4-40GB"
    trace: Sequence[tuple[float, float]] = ((0.0, 200.0),)
    wave: tuple[float, float, float] | None = None
    period_s: float = 0.1
    duty: float = 1.0
    lag_s: float = 0.0
    latency_s: float = 0.0
    limit_w: float = 400.0
    min_limit_w: float = 100.0
    max_limit_w: float = 400.0
    lost_at_s: float | None = None
    reset_at_s: float | None = None
    stalls_at_s: float | None = None
    counter: bool = True
    fields: bool = True
    mig: int | None = None
    slices: Sequence[str] = ()
    temperature_c: int = 50
    clock_mhz: int = 1410
    throttle: int = 0
    pids: Sequence[int] = ()
    errors: Mapping[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        lines = ["gpu"]
        lists = {"trace", "pids", "slices", "errors", "wave"}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name not in lists and value is not None:
                lines.append(f"{one.name} {int(value) if isinstance(value, bool) else value}")
        lines += [f"trace {at_s} {watts}" for at_s, watts in self.trace]
        lines += [f"pid {pid}" for pid in self.pids]
        lines += [f"slice {uuid}" for uuid in self.slices]
        lines += [f"error {function} {code}" for function, code in self.errors.items()]
        if self.wave is not None:
            lines.append("wave " + " ".join(map(str, self.wave)))
        return lines


@dataclass
class StandIn:
    """The library in `folder`, and its state; `write` it after every change.

    begin_s: second 0 of all times, of the monotonic clock; init_error: NVML's code.
    """

    folder: Path
    gpus: list[StandInGpu]
    begin_s: float = field(default_factory=time.monotonic)
    init_error: int = 0

    @property
    def path(self) -> Path:
        return self.folder / "state.txt"

    @property
    def limits_set(self) -> list[tuple[str, float]]:
        """Board and watts of each limit that was set, in order."""
        log = self.path.with_name("state.txt.limits")
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [(uuid, float(watts)) for uuid, watts in map(str.split, lines)]

    @property
    def now_s(self) -> float:
        return time.monotonic() - self.begin_s

    def write(self) -> StandIn:
        lines = [f"begin_s {self.begin_s}", "driver 550.54.14", f"init_error {self.init_error}"]
        lines += [line for gpu in self.gpus for line in gpu.lines()]
        draft = self.path.with_suffix(".new")
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draft.replace(self.path)
        return self

    def environment(self, library: Path) -> dict[str, str]:
        """Of a child process that finds the stand-in as NVML."""
        masks = ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS")
        kept = {name: value for name, value in os.environ.items() if name not in masks}
        return kept | {"LD_LIBRARY_PATH": str(library.parent), "NVML_STAND_IN": str(self.path)}
