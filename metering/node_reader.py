"""The sensors of one node, read in the order that costs the least: this suite's own counters and
the clock innermost, CodeCarbon and the lists of processes outside of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from metering.block import Block, Difference, Task, preferred
from metering.plausibility import other_fault
from metering.record import Component, Energy, Sensor
from metering.sensors import host_load
from metering.sensors.codecarbon import CodeCarbonMeter
from metering.sensors.host_load import CpuTimes
from metering.sensors.nvml import Gpu
from metering.sensors.own_readers import OwnReaders, Snapshot

IN_THE_MODULE = "the GPU's counter covers the whole module, CPU and memory included"
SHARED = "jobs of others may run on this node: its CPU and memory are not this run's alone"


class NodeReader:
    """gpus: NVIDIA's, read by this suite too; indices: as CodeCarbon counts the job's GPUs;
    own_pids: the run's processes; use_gpu: whether a missing GPU reading is a fault; shares_node:
    whether jobs of others may run on the node, whose CPU and memory then are not read.

    `task_cost_s`: what beginning and ending a task of CodeCarbon takes, seconds.
    """

    def __init__(
        self,
        folder: Path,
        gpus: Sequence[Gpu],
        indices: list[int],
        country_iso_code: str | None,
        *,
        own_pids: Collection[int],
        use_gpu: bool,
        shares_node: bool = False,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._clock, self._own_pids, self._use_gpu = clock, own_pids, use_gpu
        in_module = IN_THE_MODULE if any(gpu.whole_module for gpu in gpus) else ""
        self._gpus_alone = SHARED if shares_node else in_module
        self._codecarbon = CodeCarbonMeter(folder, indices, country_iso_code, nvidia=bool(gpus))
        self._own = OwnReaders(gpus, clock, sleep)
        self.period_s, self.latency_s = self._own.period_s, self._own.latency_s
        self._task: tuple[float, Snapshot] | None = None
        self._block: tuple[float, float, Snapshot] | None = None
        self.begin_task()
        cost_s = self._begin_cost_s
        ended_s = clock()
        self.end_task()
        self.task_cost_s = cost_s + clock() - ended_s

    @property
    def counts_gpus(self) -> bool:
        """Whether this suite reads the GPUs itself."""
        return "gpu" in self._own.sensors()

    def sensors(self) -> dict[Component, Sensor]:
        """How each component is read; our own counters go before CodeCarbon's."""
        sensors = self._codecarbon.sensors() | self._own.sensors()
        if self._gpus_alone:
            absent = Sensor("absent", note=self._gpus_alone)
            sensors |= {"cpu": absent, "ram": absent}
        return sensors

    def codecarbon_sensors(self) -> dict[Component, Sensor]:
        """How CodeCarbon read each component in its latest task: it falls back silently."""
        return self._codecarbon.sensors()

    def begin_task(self) -> None:
        """Begin a task of CodeCarbon, then read our own counters."""
        began_s = self._clock()
        self._codecarbon.begin()
        self._begin_cost_s = self._clock() - began_s
        self._task = (self._clock(), self._own.snapshot())

    def begin_block(self) -> None:
        """Open a block; the device has no work."""
        ended_s = self._clock()
        self._block = (ended_s, ended_s, self._own.snapshot())
        self.resume()

    def resume(self) -> None:
        """The next step begins now: the gap before the open block is over."""
        if self._block is not None:
            ended_s, _, snapshot = self._block
            self._block = (ended_s, self._clock(), snapshot)

    def end_block(self) -> Block | None:
        """The open block; the next one is open from the same instant. None where none is open."""
        if self._block is None:
            return None
        ended_s = self._clock()
        snapshot = self._own.snapshot()
        gap_began_s, began_s, before = self._block
        # a reading that fails ends this block alone: the next one begins with another
        begin = self._own.snapshot() if snapshot.fault else snapshot
        self._block = (ended_s, ended_s, begin)
        used = self._counted(self._own.between(before, snapshot, ended_s - gap_began_s))
        return Block(
            duration_s=ended_s - began_s,
            energy=Energy(),
            own=used.energy,
            fault=used.fault,
            gap_s=began_s - gap_began_s,
            watched_j=used.watched_j,
            state=self._own.state(),
        )

    def end_task(self) -> Task | None:
        """The open task. None where none is open."""
        if self._task is None:
            return None
        began_s, before = self._task
        self._task = self._block = None
        duration_s = self._clock() - began_s
        own = self._counted(self._own.between(before, self._own.snapshot(), duration_s))
        other = self._counted(self._codecarbon.end())
        fault = other.fault
        if self._use_gpu and not self.counts_gpus:
            fault = fault or other_fault(other.energy.gpu_kwh, duration_s)
        others = self._own.other_processes(self._own_pids)
        gpu = self._codecarbon.sensors().get("gpu")
        how = "" if gpu is None else gpu.how
        return Task(duration_s, other.energy, own.energy, fault, tuple(others), how)

    def end_part(self) -> Energy:
        """Energy of the open task by component, ours before CodeCarbon's."""
        task = self.end_task()
        return Energy() if task is None else preferred(task)

    def settle(self, sleep: Callable[[float], None], limit_s: float) -> None:
        """Return when the boards' power has come to rest after work, or after `limit_s`."""
        began_s, powers_w = self._clock(), list[float]()
        while self._clock() - began_s < limit_s:
            sleep(SETTLE_SLICE_S)
            self._own.sample()
            state = self._own.state()
            if state is None or state.power_w is None:
                return
            powers_w = [*powers_w[-2:], state.power_w]
            if len(powers_w) == 3 and max(powers_w) - min(powers_w) <= SETTLED * max(powers_w):
                return

    def cpu_times(self) -> CpuTimes:
        return host_load.read(self._own_pids)

    def close(self) -> None:
        self._codecarbon.stop()
        self._own.close()

    def _counted(self, used: Difference) -> Difference:
        """CPU and memory of a module that the GPU's counter covers are not added again; those of a
        shared node are not counted."""
        if not self._gpus_alone:
            return used
        return replace(used, energy=Energy(gpu_kwh=used.energy.gpu_kwh))


SETTLE_SLICE_S = 0.6  # longer than the boards' state is old
SETTLED = 0.02  # of the power: three looks within this are rest
