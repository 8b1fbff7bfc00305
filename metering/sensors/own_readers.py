"""This suite's own readings, at the same instants as CodeCarbon's: NVML and RAPL counters."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metering.block import Difference
from metering.plausibility import SENSOR_PERIOD_S, gpu_fault, rapl_fault
from metering.record import Component, Energy, Sensor
from metering.sensors.nvml import Gpu, NvmlEnergy
from metering.sensors.rapl import RaplEnergy, moving, readable_domains

J_PER_KWH = 3.6e6
WATCHED_S, MOVES = 0.5, 4


@dataclass(frozen=True)
class Snapshot:
    """Counter values of one instant; `fault` says which reader did not answer, or is empty."""

    gpu_j: dict[str, float] | None = None
    rapl_uj: dict[Any, int] | None = None
    fault: str = ""


class OwnReaders:
    """Counters of the job's GPUs and of this node's CPU packages, where they can be read.

    `period_s`: how often the GPUs' counters move, seconds.
    """

    def __init__(
        self,
        gpus: Sequence[Gpu],
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._nvml = NvmlEnergy(gpus) if gpus else None
        self.period_s = SENSOR_PERIOD_S
        if self._nvml is not None and self._nvml.how == "counter":
            self.period_s = counter_period_s(self._nvml.read_j, clock, sleep)
        domains = moving(readable_domains())
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
        """A counter that does not answer this once costs a block, not the run."""
        try:
            return Snapshot(
                gpu_j=self._nvml.read_j() if self._nvml else None,
                rapl_uj=self._rapl.read_uj() if self._rapl else None,
            )
        except (NvmlEnergy.errors(), OSError, ValueError) as error:
            return Snapshot(fault=f"a counter could not be read ({error})")

    def between(self, before: Snapshot, after: Snapshot, duration_s: float) -> Difference:
        """Energy used between two snapshots that lie `duration_s` apart."""
        if silent := before.fault or after.fault:
            return Difference(Energy(), silent)
        faults: list[str] = []
        gpu_kwh: float | None = None
        if before.gpu_j is not None and after.gpu_j is not None:
            used = {uuid: after.gpu_j[uuid] - joules for uuid, joules in before.gpu_j.items()}
            faults += [
                gpu_fault(used_j, duration_s, self._limit_w[uuid], self.period_s)
                for uuid, used_j in used.items()
            ]
            gpu_kwh = None if any(faults) else sum(used.values()) / J_PER_KWH
        cpu_kwh, ram_kwh, rapl_faults = self._rapl_between(before, after, duration_s)
        fault = next((fault for fault in [*faults, *rapl_faults] if fault), "")
        return Difference(Energy(gpu_kwh, cpu_kwh, ram_kwh), fault)

    def _rapl_between(
        self, before: Snapshot, after: Snapshot, duration_s: float
    ) -> tuple[float | None, float | None, list[str]]:
        """kWh of all packages and of all memory; None where no domain counts it, or not truly."""
        if self._rapl is None or before.rapl_uj is None or after.rapl_uj is None:
            return None, None, []
        used_j = self._rapl.between_j(before.rapl_uj, after.rapl_uj)
        faults = [rapl_fault(domain.name, used, duration_s) for domain, used in used_j.items()]
        if any(faults):
            return None, None, faults
        packages = [used for domain, used in used_j.items() if domain.name != "dram"]
        dram = [used for domain, used in used_j.items() if domain.name == "dram"]
        return (
            sum(packages) / J_PER_KWH if packages else None,
            sum(dram) / J_PER_KWH if dram else None,
            faults,
        )

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


def counter_period_s(
    read_j: Callable[[], dict[str, float]],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> float:
    """How often the slowest of the GPUs' counters moves, seconds, watched for half a second.

    Yang, Adamek and Armour 2024 ("Accurate and convenient energy measurements for GPUs", SC24)
    find 20 to 100 ms, by model and driver. A counter that moves less than twice meanwhile gets
    `SENSOR_PERIOD_S`; a slow one is looked at every 2 ms, which is the answer's error.
    """
    try:
        last = read_j()
        moved_s: dict[str, list[float]] = {uuid: [] for uuid in last}
        began_s = clock()
        while clock() - began_s < WATCHED_S and any(len(at) < MOVES for at in moved_s.values()):
            sleep(0.002)
            now = read_j()
            for uuid, joules in now.items():
                if joules != last[uuid]:
                    moved_s[uuid].append(clock())
            last = now
    except NvmlEnergy.errors():
        return SENSOR_PERIOD_S
    if any(len(at) < 2 for at in moved_s.values()):
        return SENSOR_PERIOD_S
    return max((at[-1] - at[0]) / (len(at) - 1) for at in moved_s.values())
