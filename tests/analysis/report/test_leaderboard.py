"""The leaderboard over bundles of many sites."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.load import load
from analysis.report.leaderboard import leaderboard
from metering.record import Sensor
from tests.analysis.sample_records import a_phase, a_record, put
from tests.analysis.share.sites import records


def test_rows_of_one_list_are_those_that_may_be_compared(tmp_path: Path) -> None:
    put(tmp_path, *records(num_sites=5, num_each=8))
    board = leaderboard(load([tmp_path]).frame)
    assert len(board.entries) == 5 * 4
    assert {entry.num_runs for entry in board.entries} == {2}
    assert {entry.task for entry in board.entries} == {"Image classification"}
    assert len({entry.hardware for entry in board.entries}) == 5
    for hardware in {entry.hardware for entry in board.entries}:
        groups = {entry.group for entry in board.entries if entry.hardware == hardware}
        assert groups == {"ImageNet-1k, batch 32, fp32"}


def test_values_are_the_rates_with_their_intervals(tmp_path: Path) -> None:
    put(tmp_path, a_record(phases={"train": a_phase(), "test": a_phase("test", 2.5e-7, 5e-9)}))
    [entry] = leaderboard(load([tmp_path]).frame).entries
    assert entry.values["train_wh"].number == pytest.approx(1.0)  # 1e-6 kWh an image
    assert entry.values["test_wh"].text == "0.2500 ± 0.0050"
    assert entry.values["test_s"].number == pytest.approx(1000 / 320)
    assert entry.values["recipe_kwh"].number == pytest.approx(384.35, rel=1e-3)
    assert {value.rank for value in entry.values.values()} == {""}, "a lone row has no rank"


def test_a_rank_has_its_interval_and_a_value_without_one_has_no_rank(tmp_path: Path) -> None:
    rates = {"a": (1e-6, 4e-7), "b": (1.1e-6, 4e-7), "c": (9e-6, 1e-7), "d": (2e-6, None)}
    put(
        tmp_path,
        *(
            a_record(model=name, paper_row=None, phases={"train": a_phase("train", *rate)})
            for name, rate in rates.items()
        ),
    )
    entries = {entry.model: entry for entry in leaderboard(load([tmp_path]).frame).entries}
    assert {name: entry.values["train_wh"].rank for name, entry in entries.items()} == {
        "a": "1 (1 to 2)",
        "b": "2 (1 to 2)",
        "c": "3 (3 to 3)",
        "d": "",
    }


def test_other_batch_sizes_are_another_list_and_modelled_rows_have_no_rank(tmp_path: Path) -> None:
    modelled = a_phase(
        sensors={"gpu": Sensor("modelled"), "cpu": Sensor("modelled"), "ram": Sensor("modelled")}
    )
    how = {"gpu": "modelled"}
    put(
        tmp_path,
        a_record(batch_size=32),
        a_record(batch_size=64),
        a_record(model="vit_b", paper_row=None, phases={"train": modelled}, sensors=how),
    )
    board = leaderboard(load([tmp_path]).frame)
    assert len({entry.group for entry in board.entries}) >= 2
    [other] = [entry for entry in board.entries if entry.model == "vit_b"]
    assert not any(value.rank for value in other.values.values())


def test_nothing_measured_is_an_empty_board(tmp_path: Path) -> None:
    board = leaderboard(load([tmp_path]).frame)
    assert (board.entries, board.metrics) == ((), ())
