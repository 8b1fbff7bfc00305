"""A change is compared within each sweep, so what changes from day to day is no saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.estimates.combinations import combinations
from analysis.estimates.merge import merge
from analysis.estimates.ratio import Ratio, mean_of_pairs, weighted_mean
from analysis.estimates.savings import Saving, cheapest_shown, savings
from analysis.figures.savings import figure_savings
from analysis.records.load import load
from analysis.tables.savings import markdown
from metering.record import Record
from metering.record_host import Host, MeteredGpu
from tests.analysis.sample_records import a_phase, a_record, put

MONDAY, TUESDAY, WEDNESDAY = (f"2024-01-0{day}" for day in (1, 2, 3))
SPREAD = (0.995, 1.0, 1.005)
"""Of three runs of one set-up on one day."""


def run(kwh: float, day: str = MONDAY, **more: Any) -> Record:
    times = {"started_at": f"{day}T10:00:00+00:00", "ended_at": f"{day}T10:05:00+00:00"}
    phase = a_phase(kwh_per_sample=kwh, half_width=1e-3 * kwh)
    return a_record(phases={"train": phase}, **times, **more)


def thrice(kwh: float, day: str = MONDAY, **more: Any) -> list[Record]:
    return [run(factor * kwh, day, **more) for factor in SPREAD]


def compared(folder: Path, *records: Record) -> list[Saving]:
    return savings(merge(load([put(folder, *records)]).frame))


def test_a_slower_day_is_no_cost_of_the_switch_that_was_measured_on_it(tmp_path):
    monday = thrice(1e-6), thrice(0.8e-6, compile=True)
    tuesday = thrice(1.15e-6, TUESDAY), thrice(1.15 * 0.9e-6, TUESDAY, precision="bf16")
    records = [one for some in (*monday, *tuesday) for one in some]
    ratios = {one.switch: one.energy for one in compared(tmp_path, *records)}
    assert {name: ratio and ratio.value for name, ratio in ratios.items()} == pytest.approx(
        {"compile false -> true": 0.8, "precision fp32 -> bf16": 0.9}
    )
    bf16 = ratios["precision fp32 -> bf16"]
    # +-0.6 % of runs on one day; the 15 % between the days are in no interval
    assert bf16 is not None and bf16.high - bf16.low < 0.03


def test_a_set_up_and_a_reference_of_two_days_have_no_interval_and_no_verdict(tmp_path):
    records = [*thrice(1e-6), *thrice(0.8e-6, compile=True), *thrice(0.5e-6, TUESDAY, batch_size=8)]
    rows = merge(load([put(tmp_path, *records)]).frame)
    found = savings(rows)
    (apart,) = (one for one in found if "batch_size" in one.changed)
    assert apart.verdict == "measured apart"
    assert apart.energy is not None and not apart.energy.has_interval
    assert apart.num_sweeps == 0
    text = markdown(found, combinations(rows))
    assert "batch_size 32 -> 8 | -50.0 % (no interval) |" in text
    assert "no sweep has both this set-up and its reference" in text
    assert [one.overrides for one in combinations(rows)] == ["compile=true"]
    (cheapest,) = cheapest_shown(rows, rows[0].setup)
    assert cheapest.saving.switch == "compile false -> true"
    assert cheapest.num_compared == 1, "what was measured apart does not compete"
    assert len(figure_savings(found).axes[0].get_yticklabels()) == 2


def test_of_references_of_several_days_the_nearest_is_shown(tmp_path):
    records = [
        *thrice(1e-6),
        *thrice(2e-6, TUESDAY),
        *thrice(0.8e-6, "2024-01-04", compile=True),
    ]
    (one,) = compared(tmp_path, *records)
    assert one.verdict == "measured apart" and one.num_records == (3, 3)
    assert one.energy is not None and one.energy.value == pytest.approx(0.4)


def test_a_sweep_with_another_reference_is_compared_with_its_own(tmp_path):
    """On Tuesday everything was measured in bf16."""
    monday = [thrice(1e-6), thrice(0.8e-6, compile=True), thrice(1.2e-6, batch_size=8)]
    tuesday = [
        thrice(0.5e-6, TUESDAY, precision="bf16"),
        thrice(0.45e-6, TUESDAY, precision="bf16", batch_size=64),
        thrice(0.6e-6, TUESDAY, precision="bf16", batch_size=8),
    ]
    records = [one for some in (*monday, *tuesday) for one in some]
    found = {(one.where, one.switch): one for one in compared(tmp_path, *records)}
    board = "NVIDIA RTX A6000"
    assert {name: one.verdict for name, one in found.items()} == {
        (board, "compile false -> true"): "saves",
        (board, "batch_size 32 -> 8"): "costs more",
        (board, "precision fp32 -> bf16"): "measured apart",
        (f"{board}, precision bf16", "batch_size 32 -> 64"): "saves",
        (f"{board}, precision bf16", "batch_size 32 -> 8"): "costs more",
    }
    ratio = found[f"{board}, precision bf16", "batch_size 32 -> 64"].energy
    assert ratio is not None and ratio.value == pytest.approx(0.9)


def test_two_boards_are_measured_apart(tmp_path):
    """The gain of their sensors differs by more than most switches save."""
    hosts = [Host(gpus=(MeteredGpu("NVIDIA A100", uuid=uuid),)) for uuid in ("GPU-1", "GPU-2")]
    records = [*thrice(1e-6, host=hosts[0]), *thrice(0.95e-6, compile=True, host=hosts[1])]
    (one,) = compared(tmp_path, *records)
    assert one.verdict == "measured apart"


def test_changes_within_several_sweeps_are_averaged(tmp_path):
    records = [
        one
        for day, speed in ((MONDAY, 1.0), (TUESDAY, 1.3))
        for one in (*thrice(speed * 1e-6, day), *thrice(speed * 0.8e-6, day, compile=True))
    ]
    once = compared(tmp_path / "once", *records[:6])[0]
    (both,) = compared(tmp_path / "both", *records)
    assert both.energy is not None and once.energy is not None
    assert both.energy.value == pytest.approx(0.8)
    assert both.verdict == "saves"
    assert both.energy.high - both.energy.low < once.energy.high - once.energy.low
    text = markdown([both], [])
    assert "| 6 / 6 in 2 sweeps |" in text
    assert "weighted mean of the changes within each" in text


def test_a_sweep_a_day_without_repetitions_is_compared_in_pairs(tmp_path):
    changes = {MONDAY: 0.80, TUESDAY: 0.81, WEDNESDAY: 0.79}
    speeds = {MONDAY: 1.0, TUESDAY: 1.3, WEDNESDAY: 1.1}
    records = [
        run(speeds[day] * kwh, day, compile=compiled)
        for day, change in changes.items()
        for compiled, kwh in ((False, 1e-6), (True, change * 1e-6))
    ]
    (one,) = compared(tmp_path, *records)
    assert one.verdict == "saves" and one.num_sweeps == 3
    assert one.energy is not None
    # Student's t of 2 degrees, 4.303, times 1.25 % over the root of 3
    assert one.energy.high / one.energy.value - 1 == pytest.approx(0.0316, abs=5e-4)


def test_ratios_that_differ_by_more_than_their_intervals_widen_the_mean():
    alike = weighted_mean([Ratio(0.8, 0.78, 0.82), Ratio(0.8, 0.78, 0.82)])
    unlike = weighted_mean([Ratio(0.79, 0.77, 0.81), Ratio(0.815, 0.795, 0.835)])
    against = weighted_mean([Ratio(0.7, 0.68, 0.72), Ratio(0.9, 0.88, 0.92)])
    assert alike.value == pytest.approx(0.8)
    assert alike.high - alike.low == pytest.approx(0.04 / 2**0.5, rel=0.01)
    assert 0.0283 < unlike.high - unlike.low < 0.06  # Birge: chi-squared 3.0 of 1 degree
    # what contradicts itself shows nothing
    assert against.low < 0.5 and against.high > 1


def test_a_mean_of_ratios_has_no_interval_where_none_can_be_known():
    assert not weighted_mean([Ratio(0.8), Ratio(0.9, 0.8, 1.0)]).has_interval
    assert not mean_of_pairs([Ratio(0.8), Ratio(0.8)]).has_interval
