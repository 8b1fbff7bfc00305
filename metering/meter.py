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

from metering.block import Block, MeterError, Task, preferred, sum_blocks, sum_tasks
from metering.deferred_signals import deferred_signals
from metering.emissions import emission_factor
from metering.node_reader import NodeReader
from metering.node_sensors import NodeSensors, mismatch, sensors_of
from metering.plausibility import SENSOR_PERIOD_S
from metering.ranks import Ranks
from metering.record import Component, Overhead, Phase, Sensor
from metering.sensors import amd
from metering.sensors.host_load import CpuTimes
from metering.sensors.nvml import Gpu, job_gpus
from metering.settings import MeterSettings
from metering.window import Window

SETTLE_LIMIT_S = 10.0


class Meter:
    """Opens windows, and meters what lies outside them.

    use_gpu: whether the run computes on GPUs; then a missing GPU reading is an error.
    num_gpus: how many of the job's GPUs this node's ranks use, the first ones.
    gpu_mask: which GPUs they are, as `CUDA_VISIBLE_DEVICES` would say it; None: the job's.
    country_iso_code: whose electricity it is, for the emissions; None where nobody said it.
    shares_node: jobs of others may run on the node: its CPU and memory are not read.
    `synchronize` is called before every reading; set it once the device is in use.
    `overheads` are what was metered outside of windows; rank 0's are the record's.
    `counts_gpus`: whether this suite reads every node's GPUs itself; else CodeCarbon alone does.
    """

    def __init__(
        self,
        settings: MeterSettings,
        *,
        folder: Path,
        ranks: Ranks,
        use_gpu: bool = False,
        num_gpus: int = 1,
        gpu_mask: str | None = None,
        shares_node: bool = False,
        country_iso_code: str | None = None,
        say: Callable[[Any], None] = lambda _: None,
    ) -> None:
        self.settings, self.ranks, self.say = settings, ranks, say
        self.synchronize: Callable[[], None] = lambda: None
        self.use_gpu, self.num_gpus, self._shares_node = use_gpu, num_gpus, shares_node
        self._gpu_mask = gpu_mask
        self._country_iso_code = country_iso_code
        self.emission_factor = emission_factor(country_iso_code)
        self.clock: Callable[[], float] = time.perf_counter
        self.sleep: Callable[[float], None] = time.sleep
        self.idle_power_w: float | None = None
        self.clock_skew_s = 0.0
        self._folder = folder
        self._reader: NodeReader | None = None
        self.gpus: Sequence[Gpu] = ()
        self.all_gpus: Sequence[Gpu] = ()
        self.sensor_period_s = SENSOR_PERIOD_S
        self.latency_s = self.task_cost_s = 0.0
        self.counts_gpus = False
        self._nodes: Sequence[NodeSensors] = ()
        self.overheads: list[Overhead] = []

    def __enter__(self) -> Meter:
        """Start the sensors. Collective."""
        # a second spent here is spent outside of every window
        importlib.import_module("scipy.special")
        self._compare_clocks()
        pids = self.ranks.broadcast(self.ranks.gather(os.getpid()))
        if self.ranks.local_rank == 0:
            indices = self._find_gpus() if self.use_gpu else []
            # rank 0 writes into the run's own folder, other nodes beside it: one writer a file
            folder = self._folder if self.ranks.rank == 0 else self._folder / f"{self.ranks.rank}"
            folder.mkdir(parents=True, exist_ok=True)
            self._start_reader(folder, indices, frozenset(pids))
        try:
            self._gather_sensors()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start_reader(self, folder: Path, indices: list[int], pids: frozenset[int]) -> None:
        try:
            with deferred_signals():
                self._reader = NodeReader(
                    folder,
                    self.gpus,
                    indices,
                    self._country_iso_code,
                    own_pids=pids,
                    use_gpu=self.use_gpu,
                    shares_node=self._shares_node,
                    clock=self.clock,
                    sleep=self.sleep,
                )
        except BaseException:  # a signal that waited until the sensors ran
            self.__exit__()
            raise

    def _gather_sensors(self) -> None:
        """What every rank has to know of all nodes' sensors. Collective."""
        mine = None if self._reader is None else NodeSensors.of(self.gpus, self._reader)
        gathered = self.ranks.gather(mine)
        nodes = None if gathered is None else [node for node in gathered if node is not None]
        self._nodes = self.ranks.broadcast(nodes)
        self.all_gpus = [gpu for node in self._nodes for gpu in node.gpus]
        self.sensor_period_s = max(node.period_s for node in self._nodes)
        self.latency_s = max(node.latency_s for node in self._nodes)
        self.task_cost_s = max(node.task_cost_s for node in self._nodes)
        self.counts_gpus = all(node.counts_gpus for node in self._nodes)

    def _find_gpus(self) -> list[int]:
        """Indices of the job's GPUs as CodeCarbon counts them; NVIDIA's are kept in `gpus`."""
        mask = None if self._gpu_mask is None else {"CUDA_VISIBLE_DEVICES": self._gpu_mask}
        self.gpus = job_gpus(mask, num_gpus=self.num_gpus)[: self.num_gpus]
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
        if self._reader is not None:
            with deferred_signals():
                self._reader.close()

    def begin_task(self) -> None:
        """Begin a task of CodeCarbon on every node. Collective."""
        self.synchronize()
        self.ranks.barrier()
        if self._reader is not None:
            self._reader.begin_task()

    def begin_block(self) -> None:
        """Open a block on every rank; the devices have no work when it opens. Collective."""
        self.synchronize()
        self.ranks.barrier()
        if self._reader is not None:
            self._reader.begin_block()

    def end_block(self) -> Block | None:
        """Close the block, and open the next at the same instant; rank 0 gets the sum over nodes,
        the others None. Collective."""
        self.synchronize()
        self.ranks.barrier()
        blocks = self.ranks.gather(None if self._reader is None else self._reader.end_block())
        known = [block for block in blocks or () if block is not None]
        return sum_blocks(known) if known else None

    def resume(self) -> None:
        """Steps go on: what has passed since the last block ended is the gap before this one."""
        if self._reader is not None:
            self._reader.resume()

    def end_task(self) -> Task | None:
        """Close the task; rank 0 gets the sum over nodes, the others None. Collective."""
        tasks = self.ranks.gather(None if self._reader is None else self._reader.end_task())
        known = [task for task in tasks or () if task is not None]
        return sum_tasks(known) if known else None

    def cut(self) -> tuple[Block | None, Task | None]:
        """What this node has used in the block and the task that an error or a signal ends; nobody
        is waited for, neither devices nor other ranks. None where this rank reads no sensors."""
        if self._reader is None:
            return None, None
        return self._reader.end_block(), self._reader.end_task()

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
        if self._reader is not None:
            began_s = self.clock()
            with deferred_signals():
                self._reader.begin_task()
        try:
            yield
        finally:
            with deferred_signals():
                if self._reader is not None:
                    energy = self._reader.end_part()
                    self.overheads.append(Overhead(name, self.clock() - began_s, energy))

    def idle(self) -> None:
        """Measure idle power with the device open, for `idle_s`, into `overheads`; the boards come
        to rest first. Collective."""
        if self.settings.idle_s <= 0:
            return
        self.synchronize()
        if self._reader is not None and self.gpus:
            self._reader.settle(self.sleep, SETTLE_LIMIT_S)
        with deferred_signals():
            self.begin_task()
            self.begin_block()
        block, task = None, None
        try:
            self.sleep(self.settings.idle_s)
            with deferred_signals():
                block, task = self.end_block(), self.end_task()
        except BaseException:
            with deferred_signals():
                block, task = self.cut()
            raise
        finally:
            self._keep_idle(block, task)

    def _keep_idle(self, block: Block | None, task: Task | None) -> None:
        if block is None or task is None:
            return
        whole = task.share(block, is_whole=True)
        energy = preferred(whole)
        self.overheads.append(Overhead("idle", block.duration_s, energy))
        if not whole.fault and (total_kwh := energy.total_kwh) is not None:
            self.idle_power_w = total_kwh * 3.6e6 / block.duration_s

    def sensors(self) -> dict[Component, Sensor]:
        """How each component was read; of several nodes the least trustworthy counts."""
        return sensors_of(self._nodes)

    def cpu_times(self) -> CpuTimes | None:
        """Of this node; None where this rank reads no sensors."""
        return None if self._reader is None else self._reader.cpu_times()

    def require_devices(self, uuid: str | None) -> None:
        """Raises `MeterError` where the GPUs that the ranks compute on are not those that are
        metered. uuid: of this rank's GPU; None where there is none. Collective."""
        used = self.ranks.gather(uuid)
        problem = None if used is None else mismatch(used, self.all_gpus)
        problem = self.ranks.broadcast(problem)
        if problem:
            raise MeterError(problem)

    def facts(self) -> dict[str, Any]:
        """What the record keeps of the meter itself."""
        if self._reader is None:
            return {}
        return {
            "gpus": [dataclasses.asdict(gpu) for gpu in self.all_gpus],
            "sensor_period_s": self.sensor_period_s if self.all_gpus else None,
            "sensor_latency_s": self.latency_s if self.all_gpus else None,
            "codecarbon_task_s": self.task_cost_s,
            "codecarbon": {
                name: f"{sensor.how} {sensor.name}".strip()
                for name, sensor in self._reader.codecarbon_sensors().items()
            },
            "clock_skew_s": self.clock_skew_s if self.ranks.num_nodes > 1 else None,
            "emissions": self.emission_factor,
        }
