"""Readings that cannot be true are dropped and said so; a run without GPU energy fails."""

from __future__ import annotations

import os

import pytest

from metering.block import MeterError
from metering.own_readers import gpu_fault, strangers
from tests.metering.conftest import measure
from tests.metering.simulated_nvml import Machine, SimulatedGpu, Workload


@pytest.mark.parametrize(
    ("used_j", "said"),
    [
        (-1.0, "backwards"),
        (float("nan"), "no number"),
        (0.0, "stood still"),
        (900.0, "above the board's limit of 300 W"),
        (250.0, ""),
    ],
)
def test_one_gpus_joules_over_a_second(used_j, said):
    fault = gpu_fault(used_j, duration_s=1.0, limit_w=300.0)
    assert said in fault
    assert bool(fault) == bool(said)


def test_a_gpu_run_without_a_gpu_sensor_fails_before_it_computes(make_meter):
    with pytest.raises(MeterError, match=r"metering\.doctor"), make_meter(Machine()):
        pass


def test_a_counter_reset_costs_one_block_and_is_said(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=4)
    meter = make_meter(machine)
    with meter, meter.window("train", 32) as window:
        window.open()
        for step in range(10_000):
            if step == 100:
                machine.gpus[0].reset_counter()
            if window.step(workload.step()):
                break
    record = window.result()
    dropped = [block for block in record.readings if block.use == "dropped"]
    assert [block.reason for block in dropped] == ["a GPU energy counter went backwards"]
    assert any("1 blocks were dropped" in flag for flag in record.flags)


def test_a_counter_that_stands_still_fails_the_run(make_meter):
    machine = Machine(SimulatedGpu("GPU-a", period_s=1e6))
    with pytest.raises(MeterError, match="stood still"):
        measure(make_meter(machine, max_blocks=10), Workload(machine, seed=5))


def test_two_readings_that_differ_by_more_than_two_percent_are_flagged(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    record = measure(make_meter(machine, error=0.05), Workload(machine, seed=6))
    assert any("GPU energy differs by 5.0 %" in flag for flag in record.flags)
    assert all(block.own.gpu_kwh is not None for block in record.readings)
    agreeing = measure(make_meter(machine, error=0.01), Workload(machine, seed=6))
    assert agreeing.flags == ()


def test_a_second_process_on_the_gpu_is_flagged_and_ours_is_not(make_meter):
    machine = Machine(SimulatedGpu("GPU-a", pids=[os.getpid(), 1]))
    record = measure(make_meter(machine), Workload(machine, seed=7))
    assert record.flags == ("other processes computed on the same GPU: [1]",)


def test_in_a_container_an_unknown_id_stands_for_our_own_process():
    assert strangers([70001], own_pids=[12], visible=lambda _: False) == []
    assert strangers([70001, 70002], own_pids=[12], visible=lambda _: False) == [70002]
    assert strangers([12, 70001], own_pids=[12], visible=lambda _: False) == [70001]


def test_a_budget_shorter_than_two_blocks_gives_a_mean_without_an_interval(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=8, step_s=70.0, num_cold_steps=0)
    record = measure(make_meter(machine, time_budget_s=80.0), workload)
    assert record.stop_reason == "time_budget"
    assert machine.now_s < 160
    assert record.energy_kwh_per_sample.mean > 0
    assert record.energy_kwh_per_sample.half_width is None


def test_data_that_end_early_close_the_window(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=9)
    meter = make_meter(machine)
    with meter, meter.window("test", 32) as window:
        window.open()
        for _ in range(40):
            assert not window.step(workload.step())
    record = window.result()
    assert record.stop_reason == "end_of_data"
    assert sum(block.num_steps for block in record.readings) == 40
