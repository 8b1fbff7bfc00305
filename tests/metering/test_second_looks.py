"""What a second look at the same boards shows: another path, another limit, another state."""

from __future__ import annotations

import pytest

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import measure
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering.block import Block
from metering.flags import of_blocks
from metering.record import Energy


def test_a_counter_that_is_wrong_differs_from_the_integrated_power(make_meter) -> None:
    class Half(SimulatedGpu):
        @property
        def counter_mj(self) -> int:
            return super().counter_mj // 2

    machine = Machine(Half("GPU-a"))
    record = measure(make_meter(machine, time_budget_s=60.0), Workload(machine, seed=1))
    assert any("energy counters differ by -" in flag for flag in record.flags)
    right = Machine(SimulatedGpu("GPU-a"))
    assert measure(make_meter(right), Workload(right, seed=1)).flags == ()


def test_codecarbon_that_fell_back_to_power_is_named() -> None:
    block = Block(1.0, Energy(gpu_kwh=1.0), Energy(gpu_kwh=1.0), codecarbon_gpu="power")
    (flag,) = of_blocks([block], [block], disagreement=0.02, num_waits=0)
    assert flag == "CodeCarbon sampled the GPUs' power and read no counter in 1 blocks"


def test_a_difference_of_a_tick_at_each_edge_is_none() -> None:
    block = Block(2.0, Energy(gpu_kwh=1.09), Energy(gpu_kwh=1.0))
    assert list(of_blocks([block], [block], disagreement=0.02, num_waits=0, period_s=0.1)) == []
    assert len(list(of_blocks([block], [block], disagreement=0.02, num_waits=0))) == 1


def test_a_limit_that_was_raised_meanwhile_makes_no_block_implausible(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a", power_limit_w=200.0))
    with make_meter(machine) as meter:
        meter.begin_task()
        machine.gpus[0].power_limit_w = 400.0
        meter.begin_block()
        machine.work(1.0, 380.0)
        assert meter.end_block().fault == ""


def test_the_cpu_of_a_module_that_one_counter_covers_is_not_added(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a", name="NVIDIA GH200 480GB", power_limit_w=900.0))
    with make_meter(machine) as meter:
        assert meter.gpus[0].whole_module
        assert (meter.sensors()["cpu"].how, meter.sensors()["ram"].how) == ("absent", "absent")
        assert "whole module" in meter.sensors()["cpu"].note


def test_a_window_cut_short_by_its_budget_says_what_it_cannot_have_seen(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a"))
    record = measure(make_meter(machine, time_budget_s=6.0, block_s=0.5), Workload(machine, 1))
    assert any("less than meter.least_s=45" in flag for flag in record.flags)


def test_idle_power_is_read_when_the_board_has_come_to_rest(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a", idle_w=60.0))
    with make_meter(machine, idle_s=1.0) as meter:
        machine.work(5.0, 250.0)
        meter.idle()
    assert meter.idle_power_w == pytest.approx(60.0, rel=0.01)
