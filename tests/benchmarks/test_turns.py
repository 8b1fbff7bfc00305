"""Two loops by turns: the other one runs while no block is open, as many steps as a block has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import turns
from benchmarks.sides import UNBOUNDED_WINDOW
from benchmarks.simulation.meter import simulated, simulated_meter
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from benchmarks.turns import Turns, ratios
from metering.settings import MeterSettings

STEP_S, OTHER_STEP_S, END_S, NUM_TURNS = 0.317, 0.2, 0.05, 4


def test_the_others_take_their_turns_between_blocks_and_pay_nothing_of_the_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(SimulatedGpu("GPU-a"))
    monkeypatch.setattr(turns, "time", SimpleNamespace(perf_counter=machine.clock))
    order: list[tuple[str, int]] = []

    def loop(name: str):
        def run(num_steps: int) -> None:
            assert not window._open
            order.append((name, num_steps))
            machine.work(num_steps * OTHER_STEP_S, 300.0)

        return run

    meter = simulated_meter(machine, tmp_path, MeterSettings(**UNBOUNDED_WINDOW))
    end_block = meter.end_block

    def slow_end():
        machine.idle(END_S)
        return end_block()

    monkeypatch.setattr(meter, "end_block", slow_end)
    with simulated(machine), meter, meter.window("train", 8) as window:
        taken = Turns(meter, window, [loop("a"), loop("b")], NUM_TURNS)
        window.open()
        done = False
        while not done:
            machine.work(STEP_S, 300.0)
            done = taken.step(8)

    num_steps = window.readings()[-1].num_steps
    assert num_steps > 1
    # a turn of another loop is a stop: a step leads in to the block after it
    assert order == [("a", num_steps), ("b", num_steps + 1), ("a", num_steps + 1)]
    assert taken.others_s == pytest.approx([OTHER_STEP_S] * 3)
    turns_of_mine = [num_steps] + 3 * [num_steps + 1]
    assert taken.mine_s == pytest.approx([STEP_S + END_S / number for number in turns_of_mine])
    assert taken.unmetered_s == pytest.approx([STEP_S] * NUM_TURNS)
    assert taken.metered_s == pytest.approx(sum(turns_of_mine) * STEP_S + NUM_TURNS * END_S)
    assert taken.ended_s == pytest.approx([END_S] * NUM_TURNS)


def test_a_machine_that_slows_down_favours_neither_side() -> None:
    assert ratios([1.0, 1.2, 1.4], [1.1, 1.3]) == pytest.approx([1.0, 1.0])
