"""The meter against a GPU whose true energy is known."""

from __future__ import annotations

import math

import pytest

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import J_PER_KWH, measure
from benchmarks.simulation.nvml import Machine, SimulatedGpu


def joules(interval) -> float:
    return interval.mean * J_PER_KWH


def test_the_counter_gives_the_true_energy_within_one_percent(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=1, noise=0.01)
    record = measure(make_meter(machine, time_budget_s=600), workload)
    assert record.stop_reason == "relative_error"
    assert record.sensors["gpu"].how == "counter"
    assert joules(record.energy_kwh_per_sample) == pytest.approx(
        workload.true_j_per_sample, rel=0.01
    )


def test_under_25_percent_duty_sampling_the_truth_lies_inside_the_interval(make_meter):
    machine = Machine(SimulatedGpu("GPU-a", duty=0.25, phase_s=0.03))
    workload = Workload(machine, seed=2)
    interval = measure(make_meter(machine), workload).energy_kwh_per_sample
    half_width = interval.half_width * J_PER_KWH
    assert abs(joules(interval) - workload.true_j_per_sample) <= half_width


def test_the_cold_start_is_left_out(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=3, noise=0.005, num_cold_steps=100)
    record = measure(make_meter(machine, relative_error=0.01, min_blocks=12), workload)
    assert any(block.use == "warm-up" for block in record.readings)
    assert joules(record.energy_kwh_per_sample) == pytest.approx(
        workload.true_j_per_sample, rel=0.02
    )


@pytest.mark.parametrize(("time_budget_s", "is_left_out"), [(60.0, False), (240.0, True)])
def test_a_cold_start_of_half_a_minute_is_left_out_or_widens(
    make_meter, time_budget_s: float, is_left_out: bool
):
    """Of over a quarter of the window it may be a state of the load."""
    machine = Machine(SimulatedGpu("GPU-a"))
    workload = Workload(machine, seed=3, num_cold_steps=400)
    record = measure(make_meter(machine, time_budget_s=time_budget_s), workload)
    num_warm_up = sum(block.use == "warm-up" for block in record.readings)
    assert is_left_out == (num_warm_up > 20)
    interval = record.energy_kwh_per_sample
    error = joules(interval) / workload.true_j_per_sample - 1
    assert abs(error) < (0.02 if is_left_out else interval.relative_half_width)


def test_idle_power_is_read_with_the_device_open(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    with make_meter(machine, idle_s=5.0) as meter:
        meter.sleep = lambda seconds: machine.work(seconds, 60.0)
        meter.idle()
    (overhead,) = meter.overheads
    assert meter.idle_power_w == pytest.approx(60.0, rel=0.02)
    assert overhead.duration_s == pytest.approx(5.0)
    assert overhead.energy.gpu_kwh * J_PER_KWH == pytest.approx(300.0, rel=0.02)


def test_power_is_integrated_where_there_is_no_counter_and_tagged_so(make_meter):
    machine = Machine(SimulatedGpu("GPU-old", has_counter=False, has_power_fields=False))
    with make_meter(machine) as meter:
        meter.begin_task()
        meter.begin_block()
        before_j = machine.gpus[0].true_j
        for step in range(500):
            machine.work(0.02, 200.0 + 100.0 * math.sin(step / 50))
            meter._reader._own.sample()
        used_j = machine.gpus[0].true_j - before_j
        block = meter.end_block()
        assert meter.sensors()["gpu"].how == "power"
    assert block.own.gpu_kwh * J_PER_KWH == pytest.approx(used_j, rel=0.01)
