"""The scale benchmark's records are those that are shipped, in size and in kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.estimates.merge import merge
from analysis.records.load import load
from benchmarks.tables_scale import BATCH_FACTORS, HARDWARE, SHIPPED, generate, growth
from metering.record import FILE_NAME
from metering.record_file import read


def size_of(folder: Path) -> float:
    sizes = [path.stat().st_size for path in folder.rglob(FILE_NAME)]
    return sum(sizes) / len(sizes)


def test_copies_are_whole_records_of_all_tasks_as_large_as_the_shipped(tmp_path):
    num_shipped = len(list(SHIPPED.rglob(FILE_NAME)))
    generate(tmp_path, num_shipped)
    copies = [read(path) for path in tmp_path.rglob(FILE_NAME)]
    assert {one.task for one in copies} == {"classification", "segmentation", "action_recognition"}
    assert len({one.run_id for one in copies}) == num_shipped
    assert size_of(tmp_path) == pytest.approx(size_of(SHIPPED), rel=0.02)


def test_repeats_of_a_set_up_are_merged_and_differ(tmp_path):
    num_shipped = len(list(SHIPPED.rglob(FILE_NAME)))
    generate(tmp_path, 20 * num_shipped)
    loaded = load([tmp_path])
    assert not loaded.problems
    merged = merge(loaded.frame)
    assert 5 * num_shipped < len(merged) < len(HARDWARE) * len(BATCH_FACTORS) * num_shipped
    rates = [rate for one in merged for rate in one.rates.values()]
    assert max(rate.num_records for rate in rates) > 1
    assert len({rate.kwh_per_sample for rate in rates}) == len(rates)


def test_growth_leaves_the_start_of_the_command_out():
    assert growth({0: 1.0, 10: 2.0, 100: 11.0}, 10, 100) == pytest.approx(1.0)
    assert growth({0: 1.0, 10: 2.0, 100: 21.0}, 10, 100) == pytest.approx(2.0)
