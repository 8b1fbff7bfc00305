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

from metering import amd
from metering.block import Block, MeterError, preferred, sum_over_nodes
from metering.codecarbon_meter import CodeCarbonMeter
from metering.deferred_signals import deferred_signals
from metering.nvml import Gpu, job_gpus
from metering.own_readers import OwnReaders, Snapshot, other_fault
from metering.ranks import Ranks
from metering.record import Component, Overhead, Phase, Sensor
from metering.settings import MeterSettings
from metering.window import Window


class Meter:
    """Opens windows, and meters what lies outside them.

    use_gpu: whether the run computes on GPUs; then a missing GPU reading is an error.
    num_gpus: how many of the job's GPUs this node's ranks use, the first ones.
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
        say: Callable[[Any], None] = lambda _: None,
    ) -> None:
        self.settings, self.ranks, self.say = settings, ranks, say
        self.synchronize: Callable[[], None] = lambda: None
        self.use_gpu, self.num_gpus = use_gpu, num_gpus
        self.clock: Callable[[], float] = time.perf_counter
        self.idle_power_w: float | None = None
        self.clock_skew_s = 0.0
        self._folder = folder
        self._reads = ranks.local_rank == 0
        self._began: tuple[float, Snapshot] | None = None
        self.gpus: Sequence[Gpu] = ()
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
            self._codecarbon = CodeCarbonMeter(folder, indices, self.settings.country_iso_code)
            self._own = OwnReaders(self.gpus)
        return self

    def _find_gpus(self) -> list[int]:
        """Indices of the job's GPUs as CodeCarbon counts them; NVIDIA's are kept in `gpus`."""
        self.gpus = job_gpus()[: self.num_gpus]
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

    def begin_block(self) -> None:
        """Open a block on every rank; the devices are idle when it opens. Collective."""
        self.synchronize()
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
        energy = self._codecarbon.end()
        began_s, before = self._began
        self._began = None
        duration_s = self.clock() - began_s
        own = self._own.between(before, self._own.snapshot(), duration_s)
        fault = own.fault
        if self.use_gpu and own.energy.gpu_kwh is None:
            fault = fault or other_fault(energy.gpu_kwh, duration_s)
        emissions = self._codecarbon.emissions_kg_co2eq
        return Block(duration_s, energy, own.energy, emissions, fault)

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
                    energy = self._codecarbon.end()
                    self.overheads.append(Overhead(name, self.clock() - began_s, energy))

    def idle(self) -> None:
        """Measure idle power with the device open, for `idle_s`, into `overheads`. Collective."""
        if self.settings.idle_s <= 0:
            return
        with deferred_signals():
            self.begin_block()
        end = self.cut_block
        try:
            time.sleep(self.settings.idle_s)
            end = self.end_block
        finally:
            with deferred_signals():
                block = end()
                if block is not None:
                    self.overheads.append(Overhead("idle", block.duration_s, block.energy))
        if block is not None and (total_kwh := preferred(block).total_kwh) is not None:
            self.idle_power_w = total_kwh * 3.6e6 / block.duration_s

    def sensors(self) -> dict[Component, Sensor]:
        """How each component was read; the suite's own counters go before CodeCarbon's."""
        return self._codecarbon.sensors() | self._own.sensors() if self._reads else {}

    def other_processes(self) -> list[int]:
        """Processes that compute on this node's GPUs of the job and belong to none of its ranks."""
        return self._own.other_processes(self._own_pids) if self._reads else []

    def facts(self) -> dict[str, Any]:
        """What the record keeps of the meter itself."""
        if not self._reads:
            return {}
        return {
            "gpus": [dataclasses.asdict(gpu) for gpu in self.gpus],
            "clock_skew_s": self.clock_skew_s if self.ranks.num_nodes > 1 else None,
            "emissions": self._codecarbon.emission_factor(),
        }
