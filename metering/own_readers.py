"""This suite's own readings, at the same instants as CodeCarbon's: NVML and RAPL counters."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metering.nvml import Gpu, NvmlEnergy
from metering.rapl import RaplEnergy, readable_domains
from metering.record import Component, Energy, Sensor

J_PER_KWH = 3.6e6


@dataclass(frozen=True)
class Snapshot:
    """Counter values of one instant."""

    gpu_j: dict[str, float] | None
    rapl_uj: dict[Any, int] | None


@dataclass(frozen=True)
class Difference:
    """Energy between two snapshots; `fault` says why it cannot be believed, or is empty."""

    energy: Energy
    fault: str = ""


class OwnReaders:
    """Counters of the job's GPUs and of this node's CPU packages, where they can be read."""

    def __init__(self, gpus: Sequence[Gpu]) -> None:
        self._nvml = NvmlEnergy(gpus) if gpus else None
        domains = readable_domains()
        self._rapl = RaplEnergy(domains) if domains else None
        self._limit_w = {gpu.uuid: gpu.board_power_w for gpu in gpus}

    def sensors(self) -> dict[Component, Sensor]:
        found: dict[Component, Sensor] = {}
        if self._nvml is not None:
            how = self._nvml.how
            found["gpu"] = Sensor("power" if how == "power" else "counter", f"NVML {how}")
        if self._rapl is not None:
            names = [domain.name for domain in self._rapl.domains]
            if packages := [name for name in names if name != "dram"]:
                found["cpu"] = Sensor("rapl", ", ".join(packages))
            if "dram" in names:
                found["ram"] = Sensor("rapl", "dram")
        return found

    def snapshot(self) -> Snapshot:
        return Snapshot(
            gpu_j=self._nvml.read_j() if self._nvml else None,
            rapl_uj=self._rapl.read_uj() if self._rapl else None,
        )

    def between(self, before: Snapshot, after: Snapshot, duration_s: float) -> Difference:
        """Energy used between two snapshots that lie `duration_s` apart."""
        gpu_kwh = cpu_kwh = ram_kwh = None
        fault = ""
        if before.gpu_j is not None and after.gpu_j is not None:
            used = {uuid: after.gpu_j[uuid] - joules for uuid, joules in before.gpu_j.items()}
            faults = (gpu_fault(j, duration_s, self._limit_w[uuid]) for uuid, j in used.items())
            fault = next((fault for fault in faults if fault), "")
            gpu_kwh = None if fault else sum(used.values()) / J_PER_KWH
        if self._rapl is not None and before.rapl_uj is not None and after.rapl_uj is not None:
            package_j, dram_j = self._rapl.between_j(before.rapl_uj, after.rapl_uj)
            cpu_kwh = None if package_j is None else package_j / J_PER_KWH
            ram_kwh = None if dram_j is None else dram_j / J_PER_KWH
        return Difference(Energy(gpu_kwh, cpu_kwh, ram_kwh), fault)

    def other_processes(self, own_pids: Collection[int]) -> list[int]:
        """Processes that compute on the job's GPUs and are not among `own_pids`."""
        return strangers(self._nvml.computing_pids(), own_pids) if self._nvml else []

    def close(self) -> None:
        if self._nvml is not None:
            self._nvml.close()


def strangers(
    computing: Collection[int],
    own_pids: Collection[int],
    visible: Callable[[int], bool] = lambda pid: Path(f"/proc/{pid}").exists(),
) -> list[int]:
    """Those of `computing` that are not ours.

    In a container NVML may list the host's process ids, under which our own processes are not
    to be found: as many invisible ids as we have unlisted processes are taken to be ours.
    """
    others = sorted(set(computing) - set(own_pids))
    num_unlisted = len(set(own_pids) - set(computing))
    invisible = [pid for pid in others if not visible(pid)]
    ours = set(invisible[:num_unlisted])
    return [pid for pid in others if pid not in ours]


SENSOR_PERIOD_S = 0.1  # NVML's counters move about every 100 ms
MARGIN = 1.15  # a board may exceed its enforced limit for an instant


def gpu_fault(used_j: float, duration_s: float, limit_w: float | None) -> str:
    """Why one GPU's joules over `duration_s` cannot be true; empty when they can."""
    if not math.isfinite(used_j):
        return "a GPU energy counter gave no number"
    if used_j < 0:
        return "a GPU energy counter went backwards"
    if duration_s > 3 * SENSOR_PERIOD_S and used_j == 0:
        return "a GPU energy counter stood still"
    # a counter may lag by one period at each end of the block
    if limit_w and used_j > limit_w * MARGIN * (duration_s + 2 * SENSOR_PERIOD_S):
        power_w = used_j / duration_s
        return f"GPU power of {power_w:.0f} W is above the board's limit of {limit_w:.0f} W"
    return ""


def other_fault(gpu_kwh: float | None, duration_s: float) -> str:
    """The same of GPUs that CodeCarbon alone can read; it clips and skips what it cannot read."""
    if gpu_kwh is None:
        return "no GPU energy was read"
    if duration_s > 3 * SENSOR_PERIOD_S and gpu_kwh <= 0:
        return "the GPUs' energy as CodeCarbon reads it stood still"
    return ""
