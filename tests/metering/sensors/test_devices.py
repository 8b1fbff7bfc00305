"""The GPUs of the job, whatever names them, and each counted once."""

from __future__ import annotations

import pytest

from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering.sensors.nvml import MaskError, job_gpus


@pytest.fixture
def four_gpus(monkeypatch):
    gpus = [SimulatedGpu(f"GPU-{letter}{letter}-1") for letter in "abcd"]
    gpus[3].mig_uuids = ["MIG-77", "MIG-78", "MIG-9aa-1"]
    return Machine(*gpus).install(monkeypatch)


@pytest.mark.parametrize(
    ("environment", "indices"),
    [
        ({}, [0, 1, 2, 3]),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, [2, 0]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bb,GPU-dd-1"}, [1, 3]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-77,MIG-78"}, [3]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-77a"}, []),
        ({"CUDA_VISIBLE_DEVICES": "MIG-9a"}, [3]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-7"}, []),
        ({"CUDA_VISIBLE_DEVICES": "MIG-GPU-cc-1/1/0"}, [2]),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,2"}, [1]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "1,²"}, [1]),
        ({"SLURM_JOB_GPUS": "1,3"}, [1, 3]),
        ({"SLURM_STEP_GPUS": "2"}, [2]),
        ({"SLURM_STEP_GPUS": "2", "SLURM_JOB_GPUS": "0,1,2,3"}, [2]),
        ({"SLURM_STEP_GPUS": "", "SLURM_JOB_GPUS": "1,3"}, [1, 3]),
        ({"CUDA_VISIBLE_DEVICES": "0", "SLURM_STEP_GPUS": "1", "SLURM_JOB_GPUS": "1,3"}, [0]),
    ],
)
def test_a_mask_names_the_gpus_of_the_job(four_gpus, environment, indices):
    assert [gpu.index for gpu in job_gpus(environment)] == indices


@pytest.mark.parametrize("name", ["SLURM_STEP_GPUS", "SLURM_JOB_GPUS"])
@pytest.mark.parametrize("ids", ["2,3", "1,2"])
def test_where_a_cgroup_hides_the_other_gpus_slurms_global_ids_are_no_mask(monkeypatch, name, ids):
    Machine(SimulatedGpu("GPU-c"), SimulatedGpu("GPU-d")).install(monkeypatch)
    assert [gpu.index for gpu in job_gpus({name: ids})] == [0, 1]


def test_a_mig_instance_is_told_apart_from_its_gpu(four_gpus):
    assert [gpu.mig for gpu in job_gpus({"CUDA_VISIBLE_DEVICES": "MIG-78"})] == [True]


@pytest.mark.parametrize("environment", [{}, {"CUDA_VISIBLE_DEVICES": "0,1,2"}])
def test_a_gpu_split_by_mig_is_flagged_whatever_names_it(monkeypatch, environment):
    modes = [True, False, None]
    gpus = (SimulatedGpu(f"GPU-{mode}", mig_mode=mode) for mode in modes)
    Machine(*gpus).install(monkeypatch)
    assert [gpu.mig for gpu in job_gpus(environment)] == [True, False, False]


@pytest.fixture
def mixed_gpus(monkeypatch):
    """CUDA counts the A100 first, NVML the T4."""
    return Machine(SimulatedGpu("GPU-a", "T4"), SimulatedGpu("GPU-b", "A100")).install(monkeypatch)


@pytest.mark.parametrize(
    ("environment", "num_gpus"),
    [
        ({}, 1),
        ({"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, 1),
        ({"SLURM_JOB_GPUS": "1"}, None),
        ({"CUDA_VISIBLE_DEVICES": "1"}, None),
        ({"CUDA_VISIBLE_DEVICES": "0,1"}, 1),
    ],
)
def test_mixed_gpus_counted_in_two_orders_are_refused(mixed_gpus, environment, num_gpus):
    with pytest.raises(MaskError, match=r"mixes A100, T4.*CUDA_DEVICE_ORDER=PCI_BUS_ID") as error:
        job_gpus(environment, num_gpus)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("environment", "num_gpus", "names"),
    [
        ({}, 2, ["T4", "A100"]),
        ({}, None, ["T4", "A100"]),
        ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, 1, ["T4"]),
        ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "1"}, 1, ["A100"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-b,GPU-a"}, 1, ["A100"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, 1, []),
    ],
)
def test_mixed_gpus_are_told_apart_by_bus_order_or_uuid_or_all_taken(
    mixed_gpus, environment, num_gpus, names
):
    assert [gpu.name for gpu in job_gpus(environment, num_gpus)] == names


def test_equal_gpus_are_taken_from_the_first_on(four_gpus):
    assert [gpu.index for gpu in job_gpus({}, 2)] == [0, 1]
    assert [gpu.index for gpu in job_gpus({"CUDA_VISIBLE_DEVICES": "3,1"}, 1)] == [3]
