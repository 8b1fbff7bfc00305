"""Blocks that an NVIDIA H200 gave (driver 580.159, a counter of 100 ms, 3 ms a call), and what is
said of them."""

from __future__ import annotations

import pytest

from metering.block import Block
from metering.board_state import BoardState
from metering.record import Energy
from metering.rows import Row, counted_interval, measured, num_warm_up
from metering.settings import MeterSettings
from metering.steadiness import steadiness
from metering.stopping import StoppingRule

PERIOD_S = 0.1
J_PER_KWH = 3.6e6

# began (s), seconds, gap (s), steps of 32 samples, joules of the energy counter, Celsius
VIT_B_TEST = (
    (0.008, 0.0362, 0.0025, 1, 46.084, 55.0),
    (0.058, 0.12, 0.0139, 4, 59.766, 53.0),
    (0.187, 0.4789, 0.0089, 16, 352.408, 57.0),
    (0.67, 0.4861, 0.0035, 16, 343.388, 56.0),
    (1.163, 0.4812, 0.0069, 16, 348.961, 56.0),
    (1.65, 0.4826, 0.0062, 16, 347.151, 56.0),
    (2.136, 0.4833, 0.0038, 16, 277.319, 57.0),
    (2.625, 0.4833, 0.0055, 16, 348.038, 57.0),
    (3.112, 0.482, 0.0034, 16, 347.376, 57.0),
    (3.597, 0.4814, 0.0033, 16, 349.234, 57.0),
    (4.084, 0.4842, 0.0051, 16, 345.945, 57.0),
    (4.571, 0.4821, 0.0034, 16, 348.091, 57.0),
    (5.057, 0.4821, 0.0033, 16, 347.992, 57.0),
    (5.55, 0.4807, 0.0113, 16, 344.471, 57.0),
)
RESNET50_TRAIN = (
    (0.012, 5.8534, 0.0055, 1, 2068.805, 44.0),
    (5.88, 0.0399, 0.0147, 1, 0.0, 44.0),
    (5.923, 0.1561, 0.0033, 4, 100.947, 44.0),
    (6.088, 0.5073, 0.009, 13, 282.714, 50.0),
    (6.599, 0.5073, 0.0034, 13, 286.389, 51.0),
    (7.113, 0.5069, 0.0066, 13, 284.393, 51.0),
    (7.623, 0.5068, 0.0034, 13, 288.257, 51.0),
    (8.135, 0.5079, 0.0046, 13, 282.851, 51.0),
    (8.647, 0.5076, 0.0047, 13, 287.184, 51.0),
    (9.159, 0.5076, 0.004, 13, 343.109, 51.0),
    (9.68, 0.5075, 0.0134, 13, 282.03, 52.0),
    (10.192, 0.5074, 0.0051, 13, 284.657, 52.0),
    (10.704, 0.5075, 0.0039, 13, 288.348, 52.0),
    (11.217, 0.5082, 0.0057, 13, 282.223, 51.0),
    (11.732, 0.5089, 0.0068, 13, 283.122, 52.0),
    (12.246, 0.5098, 0.005, 13, 285.77, 51.0),
    (12.759, 0.5084, 0.0037, 13, 342.991, 52.0),
    (13.281, 0.5077, 0.0129, 13, 282.301, 51.0),
    (13.792, 0.5074, 0.0034, 13, 287.127, 51.0),
    (14.304, 0.5081, 0.0049, 13, 286.691, 52.0),
    (14.817, 0.5076, 0.0051, 13, 284.305, 52.0),
    (15.333, 0.5075, 0.0078, 13, 283.659, 52.0),
)


def rows_of(blocks: tuple[tuple[float, ...], ...]) -> list[Row]:
    return [
        Row(
            started_at_s=began_s,
            num_steps=int(steps),
            num_samples=32 * int(steps),
            data_wait_s=0.0,
            block=Block(
                duration_s=duration_s,
                energy=Energy(),
                own=Energy(gpu_kwh=joules / J_PER_KWH),
                gap_s=gap_s,
                state=BoardState(temperature_c=celsius),
            ),
            after_stop=index == 0,
        )
        for index, (began_s, duration_s, gap_s, steps, joules, celsius) in enumerate(blocks)
    ]


@pytest.mark.parametrize("blocks", [VIT_B_TEST, RESNET50_TRAIN])
def test_blocks_of_five_or_six_ticks_have_no_wide_interval(blocks):
    """One block of six holds a tick more, and a sixth more energy, than its neighbours."""
    settings = MeterSettings(time_budget_s=10.0, block_s=0.5)
    rows = rows_of(blocks)
    kept = measured(rows, num_warm_up(rows, 3, settings, PERIOD_S))
    assert len(kept) >= 10
    interval = counted_interval(kept, 0.95, PERIOD_S)
    tick = PERIOD_S / sum(row.block.duration_s for row in kept)
    assert tick / 2 < interval.relative_half_width < 4 * tick + 0.02


def test_a_degree_more_does_not_change_the_energy_by_all_of_it():
    """Of this board the temperature follows each step within a second."""
    rows = rows_of(RESNET50_TRAIN)
    for num_sizing in (1, 3):
        drift = steadiness(rows[num_sizing:], rows[3:])
        assert abs(drift.change) < 0.02


def test_a_first_step_of_six_seconds_does_not_end_the_search_for_a_block_s_length():
    settings = MeterSettings(time_budget_s=10.0, block_s=0.5)
    rule = StoppingRule(settings, PERIOD_S, is_read=True)
    rows = rows_of(RESNET50_TRAIN)
    assert rule.decide(rows[:1], 5.9).num_steps == 1
    assert rule.decide(rows[:2], 5.95).num_steps == 4
    assert rule.num_sizing == 2
