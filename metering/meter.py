"""The meter of one run: one per node, on local rank 0, over the GPUs that the job was given."""

from __future__ import annotations

import dataclasses
import importlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from metering.block import Block, MeterError, preferred, sum_over_nodes
from metering.deferred_signals import deferred_signals
from metering.emissions import emission_factor
from metering.plausibility import SENSOR_PERIOD_S, other_fault
from metering.ranks import Ranks
from metering.record import Component, Overhead, Phase, Sensor
from metering.sensors import amd, host_load
from metering.sensors.codecarbon import CodeCarbonMeter
from metering.sensors.host_load import CpuTimes
from metering.sensors.nvml import Gpu, job_gpus
from metering.sensors.own_readers import OwnReaders, Snapshot
from metering.settings import MeterSettings
from metering.window import Window

TRUST = {"counter": 0, "rapl": 1, "power": 2, "modelled": 3, "absent": 4}


class Meter:
    """Opens windows, and meters what lies outside them.

    use_gpu: whether the run computes on GPUs; then a missing GPU reading is an error.
    num_gpus: how many of the job's GPUs this node's ranks use, the first ones.
    country_iso_code: whose electricity it is, for the emissions.
    `synchronize` is called before every reading; set it once the device is in use.
    `overheads` are what was metered outside of windows; rank 0's are the record's.
    """

    def __init__(
        self,
        settings: MeterSettings,
        *,
        folder: Path,
        ranks: Ranks,
        use_gpu: bool = False,
        num_gpus: int = 1,
        country_iso_code: str = "GBR",
        say: Callable[[Any], None] = lambda _: None,
    ) -> None:
        self.settings, self.ranks, self.say = settings, ranks, say
        self.synchronize: Callable[[], None] = lambda: None
        self.use_gpu, self.num_gpus = use_gpu, num_gpus
        self.emission_factor = emission_factor(country_iso_code)
        self.clock: Callable[[], float] = time.perf_counter
        self.sleep: Callable[[float], None] = time.sleep
        self.idle_power_w: float | None = None
        self.clock_skew_s = 0.0
        self._folder = folder
        self._reads = ranks.local_rank == 0
        self._began: tuple[float, Snapshot] | None = None
        self.gpus: Sequence[Gpu] = ()
        self.all_gpus: Sequence[Gpu] = ()
        self.sensor_period_s = SENSOR_PERIOD_S
        self._all_sensors: list[dict[Component, Sensor]] = []
        self.overheads: list[Overhead] = []

    def __enter__(self) -> Meter:
        """Start the sensors. Collective."""
        # a second spent here is spent outside of every window
        importlib.import_module("scipy.special")
        self._compare_clocks()
        pids = self.ranks.broadcast(self.ranks.gather(os.getpid()))
        self._own_pids = frozenset(pids)
        if self._reads:
            indices = self._find_gpus() if self.use_gpu else []
            # rank 0 writes into the run's own folder, other nodes beside it: one writer a file
            folder = self._folder if self.ranks.rank == 0 else self._folder / f"{self.ranks.rank}"
            folder.mkdir(parents=True, exist_ok=True)
            self._codecarbon = CodeCarbonMeter(
                folder, indices, self.emission_factor["country_iso_code"]
            )
            self._own = OwnReaders(self.gpus, self.clock, self.sleep)
        self._tell_of_nodes()
        return self

    def _tell_of_nodes(self) -> None:
        """What rank 0 has to know of every node's sensors. Collective."""
        mine = (self.gpus, self._own.period_s, self._sensors()) if self._reads else None
        found = self.ranks.gather(mine)
        if found is None:
            return
        nodes = [each for each in found if each is not None]
        self.all_gpus = [gpu for gpus, _, _ in nodes for gpu in gpus]
        self.sensor_period_s = max(period_s for _, period_s, _ in nodes)
        self._all_sensors = [sensors for _, _, sensors in nodes]

    def _find_gpus(self) -> list[int]:
        """Indices of the job's GPUs as CodeCarbon counts them; NVIDIA's are kept in `gpus`."""
        self.gpus = job_gpus(num_gpus=self.num_gpus)[: self.num_gpus]
        indices = [gpu.index for gpu in self.gpus] or amd.job_gpu_indices()[: self.num_gpus]
        if not indices:
            raise MeterError(
                "the run computes on a GPU, but neither NVML nor AMD SMI shows one of the job's; "
                "install the driver's NVML (or amdsmi), or see python -m metering.doctor"
            )
        return indices

    def _compare_clocks(self) -> None:
        """How far the wall clocks of the nodes are apart, seconds. Collective."""
        self.ranks.barrier()
        clocks = self.ranks.gather(time.time())
        if clocks is not None:
            self.clock_skew_s = max(clocks) - min(clocks)

    def __exit__(self, *_: object) -> None:
        if self._reads:
            self._codecarbon.stop()
            self._own.close()

    def begin_block(self, wait_s: float = 0.0) -> None:
        """Open a block on every rank, after `wait_s`; the devices are idle when it opens.
        Collective."""
        self.synchronize()
        if wait_s and self._reads:  # the others wait at the barrier
            self.sleep(wait_s)
        self.ranks.barrier()
        if self._reads:
            self._began = (self.clock(), self._own.snapshot())
            self._codecarbon.begin()

    def end_block(self) -> Block | None:
        """Close the block; rank 0 gets the sum over nodes, the others None. Collective."""
        self.synchronize()
        self.ranks.barrier()
        blocks = self.ranks.gather(self._read_block())
        if blocks is None:
            return None
        return sum_over_nodes([block for block in blocks if block is not None])

    def _read_block(self) -> Block | None:
        if not self._reads or self._began is None:
            return None
        other = self._codecarbon.end()
        began_s, before = self._began
        self._began = None
        duration_s = self.clock() - began_s
        own = self._own.between(before, self._own.snapshot(), duration_s)
        fault = own.fault or other.fault
        if self.use_gpu and own.energy.gpu_kwh is None:
            fault = fault or other_fault(other.energy.gpu_kwh, duration_s)
        others = self._own.other_processes(self._own_pids)
        return Block(duration_s, other.energy, own.energy, fault, tuple(others))

    def cut_block(self) -> Block | None:
        """What this node has used in a block that an error or a signal ends; nobody is waited for,
        neither devices nor other ranks. None where this rank reads no sensors."""
        return self._read_block()

    @contextmanager
    def window(self, phase: Phase, batch_size: int) -> Iterator[Window]:
        """The window of one phase: `open()` it, `step` through it; closed when the context is
        left, cut short when an error leaves it, and then its `result()` is there."""
        window = Window(self, phase, batch_size)
        try:
            yield window
        except BaseException:
            window.cut_short()
            raise
        window.close()

    @contextmanager
    def overhead(self, name: str) -> Iterator[None]:
        """Meter what is not a step (set-up, a checkpoint) into `overheads`; on this node only, and
        also where an error ends it."""
        if self._reads:
            began_s = self.clock()
            self._codecarbon.begin()
        try:
            yield
        finally:
            with deferred_signals():
                if self._reads:
                    energy = self._codecarbon.end().energy
                    self.overheads.append(Overhead(name, self.clock() - began_s, energy))

    def idle(self) -> None:
        """Measure idle power with the device open, for `idle_s`, into `overheads`. Collective."""
        if self.settings.idle_s <= 0:
            return
        with deferred_signals():
            self.begin_block()
        end = self.cut_block
        try:
            self.sleep(self.settings.idle_s)
            end = self.end_block
        finally:
            with deferred_signals():
                block = end()
                if block is not None:
                    self.overheads.append(Overhead("idle", block.duration_s, block.energy))
        if block is None or block.fault:
            return
        if (total_kwh := preferred(block).total_kwh) is not None:
            self.idle_power_w = total_kwh * 3.6e6 / block.duration_s

    def sensors(self) -> dict[Component, Sensor]:
        """How each component was read; the suite's own counters go before CodeCarbon's. Of several
        nodes the least trustworthy counts."""
        names = self._all_sensors[0] if self._all_sensors else {}
        return {
            name: max((node[name] for node in self._all_sensors), key=lambda one: TRUST[one.how])
            for name in names
        }

    def _sensors(self) -> dict[Component, Sensor]:
        return self._codecarbon.sensors() | self._own.sensors()

    def cpu_times(self) -> CpuTimes | None:
        """Of this node; None where this rank reads no sensors."""
        return host_load.read(self._own_pids) if self._reads else None

    def require_devices(self, uuid: str | None) -> None:
        """Raises `MeterError` where the GPUs that the ranks compute on are not those that are
        metered. uuid: of this rank's GPU; None where there is none. Collective."""
        used = self.ranks.gather(uuid)
        problem = None if used is None else _mismatch(used, self.all_gpus)
        problem = self.ranks.broadcast(problem)
        if problem:
            raise MeterError(problem)

    def facts(self) -> dict[str, Any]:
        """What the record keeps of the meter itself."""
        if not self._reads:
            return {}
        return {
            "gpus": [dataclasses.asdict(gpu) for gpu in self.all_gpus],
            "sensor_period_s": self.sensor_period_s if self.all_gpus else None,
            "clock_skew_s": self.clock_skew_s if self.ranks.num_nodes > 1 else None,
            "emissions": self.emission_factor,
        }


def _mismatch(used: Sequence[str | None], metered: Sequence[Gpu]) -> str | None:
    """Why the GPUs in use are not those that are metered; None where they are."""
    known = {uuid.removeprefix("GPU-") for uuid in used if uuid is not None}
    if not known or not metered or any(gpu.mig for gpu in metered):
        return None
    read = {gpu.uuid.removeprefix("GPU-"): gpu for gpu in metered}
    if known == read.keys():
        return None
    names = ", ".join(f"{gpu.name} {gpu.uuid}" for gpu in metered)
    return (
        f"the run computes on GPU {', '.join(sorted(known))}, but the meter reads {names}; "
        "set CUDA_DEVICE_ORDER=PCI_BUS_ID, or CUDA_VISIBLE_DEVICES to UUIDs (nvidia-smi -L)"
    )
