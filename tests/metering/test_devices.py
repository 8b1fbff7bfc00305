"""The GPUs of the job, whatever names them, and each counted once."""

from __future__ import annotations

import os
import queue
import threading

import pytest

from metering.nvml import MaskError, job_gpus
from tests.metering.conftest import J_PER_KWH
from tests.metering.simulated_nvml import Machine, SimulatedGpu


@pytest.fixture
def four_gpus(monkeypatch):
    gpus = [SimulatedGpu(f"GPU-{letter}{letter}-1") for letter in "abcd"]
    gpus[3].mig_uuids = ["MIG-77", "MIG-78"]
    return Machine(*gpus).install(monkeypatch)


@pytest.mark.parametrize(
    ("environment", "indices"),
    [
        ({}, [0, 1, 2, 3]),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, [2, 0]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bb,GPU-dd-1"}, [1, 3]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-77,MIG-78"}, [3]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-GPU-cc-1/1/0"}, [2]),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,2"}, [1]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"SLURM_JOB_GPUS": "1,3"}, [1, 3]),
        ({"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_GPUS": "1,3"}, [0]),
    ],
)
def test_a_mask_names_the_gpus_of_the_job(four_gpus, environment, indices):
    assert [gpu.index for gpu in job_gpus(environment)] == indices


def test_a_mig_instance_is_told_apart_from_its_gpu(four_gpus):
    assert [gpu.mig for gpu in job_gpus({"CUDA_VISIBLE_DEVICES": "MIG-78"})] == [True]


def test_indices_on_mixed_gpus_ask_for_the_bus_order(monkeypatch):
    Machine(SimulatedGpu("GPU-a", "Fast"), SimulatedGpu("GPU-b", "Slow")).install(monkeypatch)
    with pytest.raises(MaskError, match="CUDA_DEVICE_ORDER=PCI_BUS_ID"):
        job_gpus({"CUDA_VISIBLE_DEVICES": "1"})
    ordered = {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert [gpu.name for gpu in job_gpus(ordered)] == ["Slow"]


class ThreadRanks:
    """Four ranks of one node as threads; the last to reach the barrier does the work of all."""

    num_nodes = 1

    def __init__(self, rank: int, hub: Hub) -> None:
        self.rank = self.local_rank = rank
        self.num_ranks = hub.num_ranks
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


class Hub:
    def __init__(self, num_ranks: int) -> None:
        self.num_ranks = num_ranks
        self.gate = threading.Barrier(num_ranks, timeout=20)
        self.values: list[object] = [None] * num_ranks
        self.said: object = None


def test_four_ranks_on_four_gpus_count_each_gpu_once(make_meter):
    machine = Machine(*(SimulatedGpu(f"GPU-{n}", pids=[os.getpid()]) for n in range(4)))
    hub = Hub(4)
    meters = [make_meter(machine, ranks=ThreadRanks(rank, hub)) for rank in range(4)]
    results: queue.Queue = queue.Queue()

    def run(rank: int) -> None:
        meter = meters[rank]
        num_steps, done = 0, False
        with meter, meter.window("train", 128) as window:
            window.open()
            while not done:
                if rank == 0:  # one clock for the machine: every GPU draws 200 W for 100 ms
                    machine.work(0.1, 200.0)
                done = window.step(128)
                num_steps += 1
        results.put((rank, num_steps, window.result() if rank == 0 else None))

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    done = sorted(results.get_nowait() for _ in range(4))
    assert len({num_steps for _, num_steps, _ in done}) == 1
    record = done[0][2]
    true_j_per_sample = 4 * 200.0 * 0.1 / 128
    mean_j = record.energy_kwh_per_sample.mean * J_PER_KWH
    assert mean_j == pytest.approx(true_j_per_sample, rel=0.01)
    assert record.flags == ()
