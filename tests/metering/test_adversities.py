"""What boards do to a meter in the middle of a window: the truth is held, or the record says that
it may not be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import J_PER_KWH
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering.record import PhaseRecord
from metering.sensors.own_readers import latency_s

AT_S = 30.0
SECONDS = pytest.mark.parametrize("seed", [1, 2, 3])


def measured(make_meter, machine: Machine, load: Workload, at: Callable[[], None]) -> PhaseRecord:
    """A window in which `at` happens once, after `AT_S`."""
    happened = False
    with make_meter(machine) as meter, meter.window("train", load.batch_size) as window:
        window.open()
        began_s = machine.now_s
        while not window.step(load.step()):
            if not happened and machine.now_s - began_s > AT_S:
                at()
                happened = True
    return window.result()


def holds(record: PhaseRecord, true_j: float) -> bool:
    energy = record.energy_kwh_per_sample
    return abs(energy.mean * J_PER_KWH - true_j) <= energy.half_width * J_PER_KWH


def nothing() -> None: ...


@SECONDS
def test_a_counter_whose_ticks_jitter_by_a_fifth(make_meter, seed: int) -> None:
    machine = Machine(SimulatedGpu("GPU-a", jitter_s=0.02))
    load = Workload(machine, seed, num_cold_steps=0)
    record = measured(make_meter, machine, load, nothing)
    assert holds(record, load.true_j_per_sample)
    assert record.flags == ()


@pytest.mark.parametrize("stall_s", [0.4, 1.3, 2.6, 5.0])
def test_a_counter_that_stands_still_and_catches_up(make_meter, stall_s: float) -> None:
    """A part is missing in the block before, and too much in the one after: neither counts."""
    gpu = SimulatedGpu("GPU-a")
    machine = Machine(gpu)
    load = Workload(machine, 1, noise=0.02, num_cold_steps=0)

    def stall() -> None:
        gpu.stalls_s = ((machine.now_s, machine.now_s + stall_s),)

    record = measured(make_meter, machine, load, stall)
    assert holds(record, load.true_j_per_sample)
    if any(one.reason == "a GPU energy counter stood still" for one in record.readings):
        assert any("blocks were dropped" in flag for flag in record.flags)
        assert any("in the block beside" in one.reason for one in record.readings)


def test_a_counter_that_wraps(make_meter) -> None:
    machine = Machine(SimulatedGpu("GPU-a", wraps_at_mj=5_000_000))  # 5 kJ: half a minute's
    load = Workload(machine, 1, noise=0.02, num_cold_steps=0)
    record = measured(make_meter, machine, load, nothing)
    assert holds(record, load.true_j_per_sample)
    assert any("went backwards" in flag for flag in record.flags)


def test_a_board_that_is_reset(make_meter) -> None:
    gpu = SimulatedGpu("GPU-a")
    machine = Machine(gpu)
    load = Workload(machine, 1, noise=0.02, num_cold_steps=0)
    record = measured(make_meter, machine, load, gpu.reset_counter)
    assert holds(record, load.true_j_per_sample)
    assert any("went backwards" in flag for flag in record.flags)


def test_clocks_that_heat_lowers_are_told_with_their_blocks(make_meter) -> None:
    gpu = SimulatedGpu("GPU-a")
    machine = Machine(gpu)
    load = Workload(machine, 1, num_cold_steps=0)

    def throttle() -> None:
        gpu.throttle_reasons = 0x20

    record = measured(make_meter, machine, load, throttle)
    (flag,) = record.flags
    assert flag.startswith("heat or a power brake lowered the boards' clocks in ")
    capped = Machine(SimulatedGpu("GPU-a", throttle_reasons=0x4))  # at its power limit: usual
    record = measured(make_meter, capped, Workload(capped, 1, num_cold_steps=0), nothing)
    assert record.flags == ()


@pytest.mark.parametrize("factor", [0.8, 1.1])
def test_power_that_jumps_to_another_level_for_good(make_meter, factor: float) -> None:
    """Another limit, another clock, another process: no mean of both passes for one."""
    machine = Machine(SimulatedGpu("GPU-a"))
    load = Workload(machine, 1, noise=0.02, num_cold_steps=0)
    before_j = load.true_j_per_sample

    def jump() -> None:
        load.busy_w, load.waiting_w = factor * load.busy_w, factor * load.waiting_w

    record = measured(make_meter, machine, load, jump)
    after_j = load.true_j_per_sample
    assert after_j == pytest.approx(factor * before_j)
    assert holds(record, after_j) or any("not steady" in flag for flag in record.flags)


@pytest.mark.parametrize("frozen_s", [2.0, 60.0])
def test_the_power_of_a_board_without_a_counter_freezes(make_meter, frozen_s: float) -> None:
    """For two seconds it is noise; for good it is no reading."""
    gpu = SimulatedGpu("GPU-a", has_counter=False, has_power_fields=False)
    machine = Machine(gpu)
    load = Workload(machine, 1, step_s=0.02, num_cold_steps=0)
    load.busy_w = load.waiting_w = 200.0
    frozen = range(0)

    def watts(handle: SimulatedGpu) -> int:
        milliwatts = int(machine.now_s * 1000)
        return 250_000 if milliwatts in frozen else int(handle.power_w * 1000) + milliwatts % 7

    machine.nvmlDeviceGetPowerUsage = watts  # type: ignore[method-assign]

    def freeze() -> None:
        nonlocal frozen
        frozen = range(int(machine.now_s * 1000), int((machine.now_s + frozen_s) * 1000))

    meter = make_meter(machine, time_budget_s=60.0)
    with meter, meter.window("train", load.batch_size) as window:
        window.open()
        began_s = machine.now_s
        while True:
            samples = load.step()
            meter._reader._own.sample()
            if not frozen and machine.now_s - began_s > AT_S:
                freeze()
            if window.step(samples):
                break
    record = window.so_far()
    told = any("stood still" in flag for flag in record.flags)
    assert told == (frozen_s > 10)
    assert told or holds(record, load.true_j_per_sample)


def test_a_board_that_the_first_reading_wakes_has_the_latency_of_the_others() -> None:
    """Without persistence mode the first call takes a third of a second."""
    now_s = [0.0]
    takes_s = iter([0.3, 0.001, 0.002, 0.001])

    def read() -> None:
        now_s[0] += next(takes_s)

    assert latency_s(read, lambda: now_s[0]) == pytest.approx(0.001)
