"""How wide the interval of blocks is whose spectrum is flat, or whose counter reads irregularly."""

from __future__ import annotations

import itertools
import math
import random
from statistics import median

import pytest

from metering.low_frequencies import MOST, fewest_cosines, lowest_cosines, noise_of_readings
from metering.statistics import rate_interval

NUM_BLOCKS, NUM_SERIES = 80, 200
TICK = 0.03  # standard deviation of a reading, of a block's energy, of a counter that is regular


def wandering(chance: random.Random, correlation: float) -> list[float]:
    value, values = chance.gauss(0, 1), []
    for _ in range(NUM_BLOCKS):
        value = correlation * value + chance.gauss(0, math.sqrt(1 - correlation**2))
        values.append(value)
    return values


def read_by(counter_spread: float, seed: int, noise: float) -> list[float]:
    """Blocks of 1 with noise of their own; each reading is off by so much and parts two blocks."""
    chance = random.Random(seed)
    errors = [chance.gauss(0, counter_spread) for _ in range(NUM_BLOCKS + 1)]
    return [
        1 + chance.gauss(0, noise) + after - before for before, after in itertools.pairwise(errors)
    ]


def num_used(correlation: float) -> float:
    """Cosines, in the middle of many series."""
    series = (wandering(random.Random(seed), correlation) for seed in range(NUM_SERIES))
    return median(len(lowest_cosines(values)) for values in series)


def test_a_flat_spectrum_is_known_from_more_cosines_than_one_that_rises_towards_zero() -> None:
    assert num_used(0.0) == MOST
    assert num_used(0.95) == fewest_cosines(NUM_BLOCKS) < MOST


@pytest.mark.parametrize("period", [10.0, 20.0])
def test_a_wave_is_not_taken_for_noise(period: float) -> None:
    """It is among the upper ones of the cosines, and none of the lowest."""
    chance = random.Random(1)
    wave = [math.sin(2 * math.pi * n / period) for n in range(NUM_BLOCKS)]
    values = [one + chance.gauss(0, 0.05) for one in wave]
    assert len(lowest_cosines(values)) == (fewest_cosines(NUM_BLOCKS) if period > 14 else MOST)


@pytest.mark.parametrize("counter_spread", [TICK, 2 * TICK, 4 * TICK])
@pytest.mark.parametrize("noise", [0.003, 0.03])
def test_a_counter_that_reads_irregularly_widens_by_what_remains_at_the_ends(
    noise: float, counter_spread: float
) -> None:
    """The truth is held, and the interval little wider than that of an observer who knows both
    spreads, also where a reading is off by more than the tick of a regular counter."""
    begins = [index == 0 for index in range(NUM_BLOCKS)]
    num_held, widths = 0, []
    for seed in range(NUM_SERIES):
        amounts = read_by(counter_spread, seed, noise)
        interval = rate_interval(amounts, [1] * NUM_BLOCKS, 0.95, TICK, begins, is_chosen=False)
        assert interval is not None and interval.half_width is not None
        num_held += abs(interval.mean - 1) <= interval.half_width
        widths.append(interval.half_width)
    ideal = 1.96 * math.sqrt(NUM_BLOCKS * noise**2 + 2 * counter_spread**2) / NUM_BLOCKS
    assert num_held >= 0.93 * NUM_SERIES
    assert median(widths) < 1.5 * ideal


def test_what_comes_in_waves_is_no_error_of_readings() -> None:
    values = [math.sin(2 * math.pi * n / 8) for n in range(NUM_BLOCKS)]
    begins = [index == 0 for index in range(NUM_BLOCKS)]
    readings = noise_of_readings(values, lowest_cosines(values), TICK, begins)
    assert readings.variance == TICK**2
    assert readings.in_variance == 0.0
