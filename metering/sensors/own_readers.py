"""This suite's own readings, at the same instants as CodeCarbon's: NVML and RAPL counters."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from metering.block import Difference
from metering.board_state import BoardState
from metering.plausibility import (
    POWER_STOOD_STILL,
    SENSOR_PERIOD_S,
    STILL_S,
    gpu_fault,
    rapl_fault,
)
from metering.record import Component, Energy, How, Sensor
from metering.sensors.board_watch import BoardWatch
from metering.sensors.nvml import Gpu
from metering.sensors.nvml_energy import NvmlEnergy
from metering.sensors.rapl import RaplEnergy, moving, readable_domains

J_PER_KWH = 3.6e6
WATCHED_S, MOVES = 0.5, 4
NUM_LATENCIES = 3
PATHS = ("average", "instant", "usage")  # the steadiest first


@dataclass(frozen=True)
class Snapshot:
    """Counter values of one instant; `fault` says which reader did not answer, or is empty.

    gpu_j: by UUID, of boards with a counter; watch_j: the boards' integrated power, one dict a
    board by path (see `board_watch`); rapl_uj: by domain.
    """

    gpu_j: dict[str, float] | None = None
    watch_j: Sequence[dict[str, float]] = ()
    rapl_uj: dict[Any, int] | None = None
    fault: str = ""


class OwnReaders:
    """Counters of the job's GPUs and of this node's CPU packages, where they can be read.

    `period_s`: how often the GPUs' counters move, seconds; `latency_s`: how long one reading of
    all of them takes. background: whether a thread watches the boards; else they are sampled with
    every snapshot.
    """

    def __init__(
        self,
        gpus: Sequence[Gpu],
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
        *,
        background: bool = True,
    ) -> None:
        self.gpus, self._background = tuple(gpus), background
        self._nvml = NvmlEnergy(gpus) if gpus else None
        self._watch = BoardWatch(gpus, clock, background=background) if gpus else None
        self.period_s = SENSOR_PERIOD_S
        self.latency_s = 0.0
        if self._nvml is not None:
            self.latency_s = latency_s(self._nvml.read_j, clock)
            if self._counts:
                self.period_s = counter_period_s(self._nvml.read_j, clock, sleep)
        domains = moving(readable_domains())
        self._rapl = RaplEnergy(domains) if domains else None
        self._limit_w = {gpu.uuid: gpu.board_power_w for gpu in gpus}

    @property
    def _counts(self) -> bool:
        """Whether every board has a counter; else the weakest reading names them all."""
        return all(gpu.energy_counter for gpu in self.gpus)

    def sensors(self) -> dict[Component, Sensor]:
        named: dict[Component, Sensor] = {}
        if self.gpus:
            how: How = "counter" if self._counts else "power"
            named["gpu"] = Sensor(how, f"NVML {how}")
        if self._rapl is not None:
            names = [domain.name for domain in self._rapl.domains]
            if packages := [name for name in names if name != "dram"]:
                named["cpu"] = Sensor("rapl", ", ".join(packages))
            if "dram" in names:
                named["ram"] = Sensor("rapl", "dram")
        return named

    def snapshot(self) -> Snapshot:
        """A counter that does not answer this once costs a block, not the run."""
        try:
            gpu_j = self._nvml.read_j() if self._nvml else None
            rapl_uj = self._rapl.read_uj() if self._rapl else None
        except (NvmlEnergy.errors(), OSError, ValueError) as error:
            return Snapshot(fault=f"a counter could not be read ({error})")
        if self._watch is None:
            return Snapshot(rapl_uj=rapl_uj)
        self.sample()
        return Snapshot(gpu_j, self._watch.read_j(), rapl_uj)

    def sample(self) -> None:
        """Look at the boards now, where no thread does."""
        if self._watch is not None and not self._background:
            self._watch.sample()

    def state(self) -> BoardState | None:
        """Temperature, clocks and power of the boards, at most half a second old."""
        return self._watch.state() if self._watch else None

    def between(self, before: Snapshot, after: Snapshot, duration_s: float) -> Difference:
        """Energy used between two snapshots that lie `duration_s` apart."""
        if silent := before.fault or after.fault:
            return Difference(Energy(), silent)
        used_j = self._gpu_used_j(before, after)
        fault = self._gpu_fault(used_j, duration_s) or self._power_fault()
        gpu_kwh = sum(used_j.values()) / J_PER_KWH if used_j and not fault else None
        cpu_kwh, ram_kwh, rapl_faults = self._rapl_between(before, after, duration_s)
        fault = fault or next(filter(None, rapl_faults), "")
        return Difference(Energy(gpu_kwh, cpu_kwh, ram_kwh), fault, self._watched_j(before, after))

    def _gpu_used_j(self, before: Snapshot, after: Snapshot) -> dict[str, float]:
        """Joules by UUID: the counter's, or the integral of the power of a board without one."""
        if before.gpu_j is None or after.gpu_j is None:
            return {}
        used_j = {uuid: after.gpu_j[uuid] - joules for uuid, joules in before.gpu_j.items()}
        for gpu, first, last in zip(self.gpus, before.watch_j, after.watch_j, strict=False):
            if not gpu.energy_counter:
                path = next((name for name in ("usage", *PATHS) if name in last), None)
                joules = last[path] - first.get(path, 0.0) if path else float("nan")
                used_j[gpu.uuid] = joules
        return used_j

    def _power_fault(self) -> str:
        """Why the power of a board without a counter cannot be believed."""
        if self._watch is None or self._counts:
            return ""
        uncounted = (n for n, gpu in enumerate(self.gpus) if not gpu.energy_counter)
        stands = any(self._watch.still_s(index) > STILL_S for index in uncounted)
        return POWER_STOOD_STILL if stands else ""

    def _gpu_fault(self, used_j: dict[str, float], duration_s: float) -> str:
        fault = self._first_fault(used_j, duration_s)
        if fault and self._nvml is not None:  # the limit may have been raised meanwhile
            limits_w = self._nvml.limits_w()
            if limits_w != self._limit_w:
                self._limit_w = limits_w
                fault = self._first_fault(used_j, duration_s)
        return fault

    def _first_fault(self, used_j: dict[str, float], duration_s: float) -> str:
        faults = (
            gpu_fault(joules, duration_s, self._limit_w[uuid], self.period_s)
            for uuid, joules in used_j.items()
        )
        return next((fault for fault in faults if fault), "")

    def _watched_j(self, before: Snapshot, after: Snapshot) -> float | None:
        """Joules of all boards by the first path that every one of them answers on."""
        pairs = list(zip(before.watch_j, after.watch_j, strict=False))
        for path in PATHS:
            if pairs and all(path in first and path in last for first, last in pairs):
                return sum(last[path] - first[path] for first, last in pairs)
        return None

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
        if self._watch is not None:
            self._watch.close()
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


def latency_s(read_j: Callable[[], object], clock: Callable[[], float]) -> float:
    """How long a reading takes, seconds, the median of three. The first one of all is left out:
    without the driver's persistence mode it wakes the board, for a third of a second."""
    took_s = []
    for _ in range(1 + NUM_LATENCIES):
        began_s = clock()
        with suppress(NvmlEnergy.errors()):
            read_j()
        took_s.append(clock() - began_s)
    return median(took_s[1:])


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
