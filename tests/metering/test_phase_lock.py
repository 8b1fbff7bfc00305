"""Steps that keep time with a sensor that looks only part of the time."""

from __future__ import annotations

import itertools

import pytest

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import J_PER_KWH, measure
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering.phase_lock import locked, wait_s


@pytest.mark.parametrize("step_s", [0.05, 0.1, 0.1005, 0.15, 0.2, 0.5])
def test_steps_and_looks_in_a_simple_ratio_are_locked(step_s):
    assert locked(step_s, period_s=0.1)


@pytest.mark.parametrize("step_s", [0.01, 0.025, 0.08, 0.101, 0.73, 3.0])
def test_short_steps_and_drifting_ones_are_not(step_s):
    assert not locked(step_s, period_s=0.1)


def test_the_waits_spread_the_beginnings_of_blocks_over_the_period():
    begins = sorted((block * wait_s(0.1)) % 0.1 for block in range(12))
    assert 0 < wait_s(0.1) < 0.1
    assert max(b - a for a, b in itertools.pairwise([*begins, 0.1 + begins[0]])) < 0.02


NUM_PHASES = 10
GRID = [(step_s, noise) for step_s in (0.05, 0.1, 0.2) for noise in (0.002, 0.01)]


@pytest.mark.slow
def test_the_interval_holds_though_steps_keep_time_with_a_sensor_of_25_percent_duty(make_meter):
    """Without the waits 17 of these 60 windows hold, and the worst errs by 39 %. Were the
    true coverage 95 %, 60 trials would have a standard deviation of 1.7 from 57; 54 is as near."""
    held, worst = 0, 0.0
    for step_s, noise in GRID:
        for phase in range(NUM_PHASES):
            gpu = SimulatedGpu("GPU-a", duty=0.25, phase_s=0.1 * phase / NUM_PHASES)
            machine = Machine(gpu)
            load = Workload(machine, seed=phase, step_s=step_s, noise=noise, num_cold_steps=20)
            record = measure(make_meter(machine), load)
            interval = record.energy_kwh_per_sample
            error = abs(interval.mean * J_PER_KWH / load.true_j_per_sample - 1)
            held += error <= interval.relative_half_width
            worst = max(worst, error)
    assert held >= 54
    assert worst < 0.1


def test_blocks_that_were_shifted_are_said(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"))
    record = measure(make_meter(machine), Workload(machine, seed=1, step_s=0.1, noise=0.0))
    assert any("kept time with the GPU's sensor" in flag for flag in record.flags)
    machine = Machine(SimulatedGpu("GPU-a"))
    record = measure(make_meter(machine), Workload(machine, seed=1, step_s=0.08, noise=0.0))
    assert record.flags == ()
