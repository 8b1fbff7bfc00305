"""Power states of a load in the blocks of a window, which are made here."""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Callable, Sequence

import pytest

from benchmarks.simulation.panel import trials_of
from metering.block import Block
from metering.power_states import PowerStates, power_states
from metering.record import Energy
from metering.rows import Row

BLOCK_S, PERIOD_S, NUM_BLOCKS = 1.04, 0.1, 220


def blocks(
    seed: int, level: Callable[[float], float], noise: float = 0.02, count: int = NUM_BLOCKS
) -> list[Row]:
    """`level`: of the energy per sample, by the seconds since the window was opened; a counter that
    moves every 0.1 s reads it."""
    chance = random.Random(seed)
    true_j = read_j = 0.0
    rows = []
    for index in range(count):
        true_j += level(BLOCK_S * index) * (1 + chance.gauss(0, noise))
        now_j = true_j - chance.uniform(0, PERIOD_S) / BLOCK_S
        energy = Energy(gpu_kwh=(now_j - read_j) / 3.6e6)
        rows.append(Row(BLOCK_S * index, 13, 1, 0.0, Block(BLOCK_S, Energy(), energy)))
        read_j = now_j
    return rows


def in_turn(*levels: float, state_s: float) -> Callable[[float], float]:
    return lambda time_s: levels[int(time_s / state_s) % len(levels)]


@pytest.mark.parametrize(("state_s", "num"), [(45.0, 6), (60.0, 4), (130.0, 2)])
def test_few_states_are_one_observation_each(state_s: float, num: int):
    states = power_states(blocks(1, in_turn(1.08, 0.92, state_s=state_s)), PERIOD_S)
    assert states.num == num
    assert states.spread == pytest.approx(0.08, rel=0.1)
    assert states.half_width(0.95) > 1.96 * 0.07 / math.sqrt(num)


def test_states_like_clockwork_widen_less_than_states_by_chance():
    in_turns = power_states(blocks(1, in_turn(1.08, 0.92, state_s=30.0)), PERIOD_S)
    assert in_turns.num == 8
    ends_s = [20, 32, 70, 96, 138, 150, 205, 229]  # as long on average
    by_chance = power_states(
        blocks(1, lambda time_s: 1.08 if bisect(ends_s, time_s) % 2 else 0.92), PERIOD_S
    )
    assert by_chance.num == 8
    assert in_turns.half_width(0.95) < 0.5 * by_chance.half_width(0.95)


def test_states_that_came_often_are_in_the_noise_between_blocks():
    states = power_states(blocks(1, in_turn(1.08, 0.92, state_s=10.0)), PERIOD_S)
    assert not states.are_few
    assert states.half_width(0.95) == 0.0


def _stall(time_s: float) -> float:
    return 1.3 if time_s % 25 < BLOCK_S else 1.0


def _wave(time_s: float) -> float:
    return 1 + 0.08 * math.sin(2 * math.pi * time_s / 7)


@pytest.mark.parametrize("level", [lambda _: 1.0, _stall, _wave], ids=["noise", "stalls", "waves"])
@pytest.mark.parametrize("count", [45, NUM_BLOCKS])
def test_noise_stalls_and_waves_of_some_seconds_are_no_states(
    level: Callable[[float], float], count: int
):
    few = [power_states(blocks(seed, level, count=count), PERIOD_S) for seed in range(20)]
    assert sum(one.are_few for one in few) <= 1


def test_power_that_wanders_has_no_states():
    """Its noise between blocks is right without them."""
    chance, num_few = random.Random(1), 0
    for seed in range(20):
        drift, levels = 0.0, []
        for _ in range(NUM_BLOCKS):
            drift = 0.85 * drift + chance.gauss(0, 0.02)
            levels.append(1 + drift)
        rows = blocks(seed, lambda time_s, levels=levels: levels[round(time_s / BLOCK_S)])
        num_few += power_states(rows, PERIOD_S).are_few
    assert num_few <= 2


@pytest.mark.parametrize("rows", [[], blocks(1, in_turn(1.08, 0.92, state_s=10.0), count=20)])
def test_a_short_window_tells_no_states(rows: Sequence[Row]):
    assert power_states(rows, PERIOD_S) == PowerStates()


def test_a_window_that_met_few_states_goes_on_and_holds_the_truth():
    """Of states of twenty seconds by chance; one window of ten meets one state alone."""
    for one in trials_of("rare: two power states of 20 s on average", (0, 2, 3, 4)):
        assert one.window_s > 230
        assert one.held
