"""The interval of a rate, and the blocks that are warm-up, on series whose truth is known."""

from __future__ import annotations

import math
import random

import pytest

from metering.statistics import rate_interval, warmup_length

NUM_BLOCKS, NUM_SERIES = 40, 200
TICK = 0.03  # standard deviation of a reading, of a block's energy


def series(seed: int, noise: float, correlation: float = 0.0) -> list[float]:
    chance, drift = random.Random(seed), 0.0
    values = []
    for _ in range(NUM_BLOCKS):
        draw = chance.gauss(0, noise * math.sqrt(1 - correlation**2))
        drift = correlation * drift + draw
        values.append(1 + drift)
    return values


def with_ticks(values: list[float], seed: int, begins: list[bool]) -> list[float]:
    """Every block ends at a reading that is up to a tick late, and the next begins there, or at a
    reading of its own."""
    chance, half = random.Random(-seed), math.sqrt(3) * TICK
    before, counted = chance.uniform(-half, half), []
    for value, begins_anew in zip(values, begins, strict=True):
        if begins_anew:
            before = chance.uniform(-half, half)
        after = chance.uniform(-half, half)
        counted.append(value + after - before)
        before = after
    return counted


@pytest.mark.parametrize("stops", [(), (20,), (10, 20, 30)])
@pytest.mark.parametrize("noise", [0.003, 0.03, 0.1])
def test_ticks_count_at_the_ends_of_chains_alone(noise: float, stops: tuple[int, ...]):
    """The truth is held, and the interval little wider than 1.4 times (Student's t of few degrees)
    that of an observer who knows both spreads."""
    begins = [index in stops for index in range(NUM_BLOCKS)]
    num_held, widths = 0, []
    for seed in range(NUM_SERIES):
        amounts = with_ticks(series(seed, noise), seed, begins)
        interval = rate_interval(amounts, [1] * NUM_BLOCKS, 0.95, TICK, begins)
        num_held += abs(interval.mean - 1) <= interval.half_width
        widths.append(interval.half_width)
    variance = NUM_BLOCKS * noise**2 + 2 * (1 + len(stops)) * TICK**2
    ideal = 1.96 * math.sqrt(variance) / NUM_BLOCKS
    assert num_held >= 0.93 * NUM_SERIES
    assert sorted(widths)[NUM_SERIES // 2] < 1.75 * ideal


def test_noise_is_no_warm_up():
    cut = [warmup_length(series(seed, 0.05, 0.5)) for seed in range(NUM_SERIES)]
    assert sum(map(bool, cut)) <= 0.1 * NUM_SERIES


@pytest.mark.parametrize(("cold", "least"), [((0.85,), 1), ((0.8, 0.85), 2), ((0.9,) * 8, 5)])
def test_blocks_that_stand_out_are_warm_up(cold: tuple[float, ...], least: int):
    for seed in range(20):
        values = series(seed, 0.02)
        values[: len(cold)] = [one * value for one, value in zip(cold, values, strict=False)]
        assert least <= warmup_length(values) <= NUM_BLOCKS // 2


def test_ticks_alone_widen_by_the_normal_quantile():
    """Their size is known, not estimated from a few blocks."""
    count, tick = 45, 0.03
    interval = rate_interval([1.0] * count, [1] * count, 0.95, tick)
    assert interval is not None
    assert interval.half_width == pytest.approx(1.96 * math.sqrt(2) * tick / count, rel=1e-3)
