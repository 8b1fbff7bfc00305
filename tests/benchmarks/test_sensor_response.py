"""A sensor's delay and rise, from a load that is switched on and off."""

from __future__ import annotations

import pytest

from benchmarks.sensor_response import Switching, responses, results
from benchmarks.simulation.nvml import Machine, SimulatedGpu

IDLE_W, BUSY_W, PHASE_S = 60.0, 300.0, 2.4


def switched(gpu: SimulatedGpu, num_cycles: int = 5) -> Switching:
    """The same readings as of a real board, every 4 ms."""
    machine = Machine(gpu)
    measured = Switching([], {"counter": [], "average": []}, {"average": []})
    average_j = 0.0
    for number in range(2 * num_cycles):
        measured.switches.append(machine.now_s)
        while machine.now_s < measured.switches[-1] + PHASE_S:
            machine.work(0.004, IDLE_W if number % 2 else BUSY_W)
            average_j += gpu.average_w * 0.004
            measured.joules["counter"].append((machine.now_s, gpu.counter_mj / 1000))
            measured.joules["average"].append((machine.now_s, average_j))
            measured.watts["average"].append((machine.now_s, gpu.average_w))
    return measured


@pytest.mark.parametrize("lag_s", [0.0, 0.06, 0.2])
def test_the_lag_of_a_counter_is_found_beside_its_tick(lag_s: float) -> None:
    by_path = {one.path: one for one in responses(switched(SimulatedGpu("GPU-a", lag_s=lag_s)))}
    assert by_path["counter"].delay_on_s == pytest.approx(0.05 + lag_s, abs=0.015)
    assert by_path["counter"].delay_off_s == pytest.approx(0.05 + lag_s, abs=0.015)
    (line, _) = results(list(by_path.values()), period_s=0.1)
    assert line.value == pytest.approx(1000 * lag_s, abs=15)
    assert line.held == (lag_s < 0.1)


def test_an_average_over_a_second_is_half_a_second_late_and_rises_in_four_fifths() -> None:
    by_path = {one.path: one for one in responses(switched(SimulatedGpu("GPU-a")))}
    assert by_path["average"].delay_on_s == pytest.approx(0.5, abs=0.02)
    assert by_path["average"].rise_s == pytest.approx(0.8, abs=0.02)


def test_a_path_that_does_not_see_the_load_has_no_delay() -> None:
    measured = switched(SimulatedGpu("GPU-a"))
    measured.joules["counter"] = [(at_s, 60.0 * at_s) for at_s, _ in measured.joules["counter"]]
    assert [one.path for one in responses(measured)] == ["average"]
