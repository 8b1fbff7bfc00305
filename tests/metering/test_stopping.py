"""When a window ends, on blocks that are made here."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from metering.block import Block
from metering.record import Energy
from metering.rows import Row, counted_interval, measured, num_warm_up
from metering.settings import MeterSettings
from metering.stopping import StoppingRule

BLOCK_S, PERIOD_S = 3.0, 0.1


def blocks(seed: int, noise: float, count: int) -> list[Row]:
    """Steps of three seconds, each a block."""
    chance = random.Random(seed)
    return [
        Row(
            started_at_s=BLOCK_S * index,
            num_steps=1,
            num_samples=1,
            data_wait_s=0.0,
            block=Block(BLOCK_S, Energy(), Energy(gpu_kwh=1e-4 * (1 + chance.gauss(0, noise)))),
        )
        for index in range(count)
    ]


def ended(rows: list[Row], time_budget_s: float = 240.0) -> tuple[int, StoppingRule]:
    """After how many blocks the interval ends the window; all where it does not."""
    settings = MeterSettings(time_budget_s=time_budget_s)
    rule = StoppingRule(settings, PERIOD_S, is_read=True)
    for count in range(1, len(rows) + 1):
        decision = rule.decide(rows[:count], BLOCK_S * count)
        if decision.num_steps == 0 and decision.reason == "relative_error":
            return count, rule
    return len(rows), rule


def half_width(rows: list[Row], confidence: float = 0.95) -> float:
    kept = measured(rows, num_warm_up(rows, 1, MeterSettings(), PERIOD_S))
    return counted_interval(kept, confidence, PERIOD_S).relative_half_width


def test_the_interval_must_be_within_the_limit_at_99_percent():
    """Noise is often small by chance."""
    num_late = 0
    for seed in range(10):
        rows = blocks(seed, 0.025, 75)
        count, _ = ended(rows)
        assert count == len(rows) or half_width(rows[:count], 0.99) <= 0.02
        num_late += count > 22 and half_width(rows[:17]) <= 0.02
    assert num_late >= 2


def test_steady_blocks_end_the_window_at_its_least_time():
    count, rule = ended(blocks(1, 0.002, 75))
    assert count * BLOCK_S <= 45 + 5 * BLOCK_S
    assert rule.widest == 0
    assert not rule.is_chosen


def test_a_window_that_ends_by_its_interval_is_told_with_the_widest_that_confirmed_it():
    by_chance = [
        (rows[:count], rule.widest)
        for rows in (blocks(seed, 0.035, 79) for seed in range(100, 112))
        for count, rule in [ended(rows)]
        if rule.widest
    ]
    assert len(by_chance) >= 4
    assert all(0.005 < widest <= 0.013 for _, widest in by_chance)
    assert any(half_width(rows) < widest for rows, widest in by_chance)


@pytest.mark.parametrize("num_high", [5, 14])
def test_a_window_goes_on_after_another_power_at_its_start(num_high: int):
    """That may be a state of the load, which comes again: twice the least time, and three times as
    long as it, must pass without it."""
    rows = [
        replace(row, block=replace(row.block, own=Energy(gpu_kwh=1.08e-4)))
        if index <= num_high
        else row
        for index, row in enumerate(blocks(2, 0.002, 150))
    ]
    count, _ = ended(rows, time_budget_s=600.0)
    assert count < len(rows)
    cut = num_warm_up(rows[:count], 1, MeterSettings(), PERIOD_S)
    assert cut > num_high
    assert (count - cut) * BLOCK_S >= max(90.0, 3 * (cut - 1) * BLOCK_S)
