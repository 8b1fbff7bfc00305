"""Two intervals: what another run on this board would give, and what a meter at its plugs would."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import measure
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from benchmarks.simulation.power_loads import Exponential
from metering import board_gain
from metering.board_gain import gain_of
from metering.sensors.nvml import Gpu
from tests.conftest import ROOT


def board(name: str, uuid: str = "GPU-1234") -> Gpu:
    return Gpu(0, uuid, name, energy_counter=True, board_power_w=300.0)


def test_a_window_keeps_its_error_term_by_term(make_meter):
    machine = Machine(SimulatedGpu("GPU-a"), call_s=0.002)
    meter = make_meter(machine, codecarbon_s=0.003)
    with meter:
        meter.idle()
    record = measure(meter, Workload(machine, seed=1, num_cold_steps=0))
    budget = record.error_budget
    assert budget.repeat == pytest.approx(record.energy_kwh_per_sample.relative_half_width)
    assert 0 < budget.gap < 0.001  # 2 ms of a second, at idle power
    assert 0 < budget.tick < budget.noise
    assert budget.drift == 0
    assert budget.repeat >= budget.noise
    assert budget.modelled_share == 0
    assert all(one.gap_s == pytest.approx(0.002, abs=0.001) for one in record.readings[-5:])


def test_drift_is_a_term_and_widens_the_interval(make_meter):
    gpu = SimulatedGpu("GPU-a", temperature_c=32.0, c_per_w=0.2, heat_tau_s=100.0)
    machine = Machine(gpu)
    load = Exponential(machine, 1, num_cold_steps=0)
    record = measure(make_meter(machine, time_budget_s=120.0), load)
    assert record.stop_reason == "time_budget"
    assert record.error_budget.drift > 0.005
    assert record.error_budget.repeat > record.error_budget.noise
    assert any("not steady" in flag for flag in record.flags)


def test_a_window_too_short_to_see_heat_allows_for_it_by_what_the_temperature_does(make_meter):
    def unseen(**heat: float) -> float:
        machine = Machine(SimulatedGpu("GPU-a", **heat))
        load = Workload(machine, seed=1, num_cold_steps=0)
        return measure(
            make_meter(machine, time_budget_s=6.0, block_s=0.5), load
        ).error_budget.unseen

    warm, cold = unseen(), unseen(temperature_c=32.0, c_per_w=0.2, heat_tau_s=30.0)
    assert 0.01 < warm < 0.04  # thermometers round to a degree
    assert cold > 0.06
    machine = Machine(SimulatedGpu("GPU-a"))
    assert measure(make_meter(machine), Workload(machine, seed=1)).error_budget.unseen == 0


def test_the_gain_of_an_untested_reading_is_not_known_and_its_range_an_illustration(make_meter):
    machine = Machine(SimulatedGpu("GPU-a", name="NVIDIA RTX A6000"))
    budget = measure(make_meter(machine, time_budget_s=20.0), Workload(machine, 1)).error_budget
    assert budget.absolute is None
    assert budget.absolute_note.startswith("not known: NVML's energy counter was not tested")
    assert (budget.gain_low, budget.gain_high) == (-0.0702, -0.0196)


def test_two_boards_of_one_name_differ_so_a_name_is_no_test_of_another():
    gain = gain_of([board("NVIDIA GeForce RTX 3090")], "power")
    assert gain.half_width is None
    assert gain.low == -0.0555
    assert gain.high == -0.0196
    assert "5 boards of this name" in gain.note


def test_a_board_that_was_tested_itself_has_an_absolute_interval():
    gain = gain_of([board("NVIDIA RTX A5000", "GPU-20857aba-1111")], "power")
    assert gain.half_width == pytest.approx(0.0702 + 2 * 0.0014, abs=0.003)
    assert gain_of([board("NVIDIA RTX A5000", "GPU-20857aba-1111")], "counter").half_width is None


def test_the_boards_are_those_of_the_independent_evidence():
    """The rooms may not read each other's files: one table stands in both."""

    def errors(path: Path) -> dict[tuple[str, str], float]:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return {(row["board_uuid"], row["driver"]): float(row["energy_error_pct"]) for row in rows}

    assert errors(board_gain.FILE) == errors(ROOT / "analysis" / "independent" / "sensor_gain.csv")
