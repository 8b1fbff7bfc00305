"""What a phase's first step and its waiting for data do to its rate."""

from __future__ import annotations

import pytest

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.nvml import Machine, SimulatedGpu


def test_the_first_step_is_in_no_rate_and_in_no_time_budget(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=8, num_cold_steps=0)
    with make_meter(machine, time_budget_s=6.0, block_s=0.5) as meter:
        with meter.window("train", 32) as window:
            window.open()
            machine.work(8.0, 240.0)  # what the first step loads, compiles and tries out
            while not window.step(workload.step()):
                pass
        record = window.result()
    kept = [one for one in record.readings if one.use == "measured"]
    assert len(kept) >= 8
    rate_j = sum(one.own.gpu_kwh for one in kept) * 3.6e6 / sum(one.num_samples for one in kept)
    assert rate_j == pytest.approx(workload.true_j_per_sample, rel=0.1)


def test_a_phase_of_one_step_has_no_rate_and_says_why(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=8, num_cold_steps=0)
    with make_meter(machine) as meter:
        with meter.window("test", 32) as window:
            window.open()
            window.step(workload.step())
        record = window.result()
    assert record.energy_kwh_per_sample is None
    assert any("first step" in flag for flag in record.flags)


def test_a_gpu_that_waits_for_data_is_told(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=9)
    with make_meter(machine) as meter:
        with meter.window("test", 32) as window:
            window.open()
            while not window.step(workload.step(), data_wait_s=0.4 * workload.step_s):
                pass
        record = window.result()
    assert any(flag.startswith("the loop waited for data 4") for flag in record.flags)
