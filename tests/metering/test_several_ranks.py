"""Several ranks, on one node and on two: every GPU is counted, and none twice."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from types import SimpleNamespace

import pytest

from benchmarks.simulation.meter import J_PER_KWH
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering.block import Block, sum_blocks
from metering.flags import of_machine
from metering.meter import Meter
from metering.node_sensors import NodeSensors, sensors_of
from metering.record import Energy, PhaseRecord, Sensor
from metering.sensors.nvml import Gpu

POWER_W, STEP_S, BATCH_SIZE = 200.0, 0.13, 128  # a step that does not keep time with the sensor


class ThreadRanks:
    """One of several ranks, as a thread."""

    def __init__(self, rank: int, hub: Hub, num_nodes: int = 1) -> None:
        self.rank, self.num_ranks, self.num_nodes = rank, hub.num_ranks, num_nodes
        self.local_rank = rank % (hub.num_ranks // num_nodes)
        self._hub = hub

    def gather(self, value):
        self._hub.values[self.rank] = value
        self._hub.gate.wait()
        values = list(self._hub.values)
        self._hub.gate.wait()
        return values if self.rank == 0 else None

    def broadcast(self, value):
        if self.rank == 0:
            self._hub.said = value
        self._hub.gate.wait()
        said = self._hub.said
        self._hub.gate.wait()
        return said

    def barrier(self) -> None:
        self._hub.gate.wait()

    def asked_to_end(self) -> bool:
        return False


class Hub:
    def __init__(self, num_ranks: int) -> None:
        self.num_ranks = num_ranks
        self.gate = threading.Barrier(num_ranks, timeout=20)
        self.values: list[object] = [None] * num_ranks
        self.said: object = None


def train(meters: list[Meter], machine: Machine, hub: Hub) -> PhaseRecord:
    """Every rank in a thread; all GPUs draw `POWER_W`. Rank 0's result."""
    results: queue.Queue = queue.Queue()

    def run(rank: int) -> None:
        num_steps, done = 0, False
        with meters[rank] as meter, meter.window("train", BATCH_SIZE) as window:
            window.open()
            while not done:
                hub.gate.wait()  # all have opened their block before any time passes
                if rank == 0:  # one clock for all machines
                    machine.work(STEP_S, POWER_W)
                hub.gate.wait()
                done = window.step(BATCH_SIZE)
                num_steps += 1
        results.put((rank, num_steps, window.result() if rank == 0 else None))

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(len(meters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    done = sorted(results.get_nowait() for _ in meters)
    assert len({num_steps for _, num_steps, _ in done}) == 1
    return done[0][2]


def joules_per_sample(record: PhaseRecord) -> float:
    assert record.energy_kwh_per_sample is not None
    return record.energy_kwh_per_sample.mean * J_PER_KWH


def test_four_ranks_on_four_gpus_count_each_gpu_once(make_meter):
    machine = Machine(*(SimulatedGpu(f"GPU-{n}", pids=[os.getpid()]) for n in range(4)))
    hub = Hub(4)
    meters = [make_meter(machine, ranks=ThreadRanks(rank, hub)) for rank in range(4)]
    record = train(meters, machine, hub)
    assert joules_per_sample(record) == pytest.approx(4 * POWER_W * STEP_S / BATCH_SIZE, rel=0.01)
    assert record.flags == ()


def test_four_ranks_on_two_nodes_sum_both_nodes(make_meter):
    """Two GPUs a node; both nodes' GPUs draw the same, so one machine stands for either."""
    machine = Machine(*(SimulatedGpu(f"GPU-{n}", pids=[os.getpid()]) for n in range(2)))
    hub = Hub(4)
    meters = [make_meter(machine, ranks=ThreadRanks(rank, hub, num_nodes=2)) for rank in range(4)]
    record = train(meters, machine, hub)
    assert joules_per_sample(record) == pytest.approx(4 * POWER_W * STEP_S / BATCH_SIZE, rel=0.01)
    assert record.num_nodes == 2


def test_clocks_of_nodes_that_lie_apart_are_flagged(make_meter, monkeypatch):
    machine = Machine(SimulatedGpu("GPU-a", pids=[os.getpid()]))
    hub = Hub(2)
    meters = [make_meter(machine, ranks=ThreadRanks(rank, hub, num_nodes=2)) for rank in range(2)]
    readings = itertools.count(1000.0, 7.5)
    monkeypatch.setattr("metering.meter.time", SimpleNamespace(time=lambda: next(readings)))
    record = train(meters, machine, hub)
    assert record.flags == ("the nodes' clocks are 7.5 s apart",)


def test_what_the_second_node_saw_is_in_the_sum():
    here = Block(1.0, Energy(gpu_kwh=1.0), Energy(gpu_kwh=1.0))
    there = Block(1.5, Energy(gpu_kwh=2.0), Energy(), fault="no GPU energy was read", others=(7,))
    both = sum_blocks([here, there])
    assert (both.duration_s, both.energy, both.own) == (1.5, Energy(gpu_kwh=3.0), Energy())
    assert (both.fault, both.others) == ("no GPU energy was read", (7,))


def test_of_the_nodes_sensors_the_least_trustworthy_is_named():
    """Node 0 reads a counter, node 1 has a GPU without one."""
    counter, sampled = Sensor("counter", "NVML counter"), Sensor("power", "NVML power")
    nodes = [NodeSensors((), 0.1, 0.0, 0.0, True, {"gpu": one}) for one in (counter, sampled)]
    assert sensors_of(nodes) == {"gpu": sampled}


def test_a_mig_slice_of_any_node_is_said():
    gpu = Gpu(0, "GPU-b", "A100", energy_counter=True, board_power_w=400.0, mig=True)
    assert any("MIG instance" in flag for flag in of_machine([gpu], 0.0))
