"""Lines that are lost, glued or there twice: what is left is no whole run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.records.load import Loaded, load
from tests.analysis.records.codecarbon.logs import a_config, a_log


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [
        {
            str(name): None if not isinstance(value, tuple) and pd.isna(value) else value
            for name, value in row.items()
        }
        for row in load([folder]).frame.to_dict("records")
    ]


def _flags(loaded: Loaded) -> str:
    return "; ".join(flag for one in loaded.logs for flag in one.flags)


def test_a_last_line_that_was_cut_leaves_the_one_before_and_is_named(tmp_path: Path) -> None:
    a_config(tmp_path)
    path = a_log(tmp_path, {}, {"energy_consumed": "0.020", "duration": "200"})
    path.write_text(path.read_text()[:-40])
    loaded = load([tmp_path])
    assert loaded.frame["energy_kwh"].tolist() == [0.01]
    assert loaded.logs[0].verdict == "flagged"
    assert "cut off" in loaded.problems[0].reason
    assert loaded.frame["kwh_per_sample"].isna().all(), "a part of the run over all its samples"
    assert "no rate is made" in _flags(loaded)


@pytest.mark.parametrize(
    "lines",
    [
        ({}, {"energy_consumed": "much", "duration": "200"}),  # the last total
        ({"task_name": "train_0"}, {"task_name": "train_1", "energy_consumed": "-1"}),
        ({"energy_consumed": "0.02"}, {"duration": "200"}),  # a counter that began anew
    ],
)
def test_a_run_of_which_a_part_is_lost_has_no_rate(
    tmp_path: Path, lines: tuple[dict[str, str], ...]
) -> None:
    a_config(tmp_path)
    a_log(tmp_path, *({"task_name": ""} | line for line in lines))
    [row] = _rows(tmp_path)
    assert row["kwh_per_sample"] is None
    assert "no rate is made" in row["flags"]


def test_a_lost_line_whose_energy_a_later_total_holds_is_no_loss(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"energy_consumed": "nan", "duration": "50"}, {})
    assert _rows(tmp_path)[0]["kwh_per_sample"] == pytest.approx(1e-6)


def test_a_line_that_was_glued_to_another_leaves_its_run_no_rate(tmp_path: Path) -> None:
    a_config(tmp_path)
    path = a_log(tmp_path, {"energy_consumed": "0.002", "duration": "50"}, {}, {"run_id": "b"})
    head, first, second, third, _ = path.read_text().split("\n")
    path.write_text("\n".join([head, first, second + third, ""]))
    [row] = _rows(tmp_path)
    assert (row["energy_kwh"], row["kwh_per_sample"]) == (0.002, None)


def test_tasks_that_are_one_line_again_or_more_than_their_total_are_flagged(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(
        tmp_path,
        {"task_name": "train"},
        {"task_name": "train"},
        {"task_name": "", "energy_consumed": "0.005"},
    )
    [row] = _rows(tmp_path)
    assert row["energy_kwh"] == 0.01
    assert "count once" in row["flags"] and "more than its total" in row["flags"]


def test_comments_before_the_header_are_no_header(tmp_path: Path) -> None:
    a_config(tmp_path)
    path = a_log(tmp_path, {})
    path.write_text("# of the second try\n\n" + path.read_text())
    assert _rows(tmp_path)[0]["kwh_per_sample"] == pytest.approx(1e-6)


def test_a_cut_line_of_another_run_takes_no_rate_from_the_one_before(tmp_path: Path) -> None:
    a_config(tmp_path)
    path = a_log(tmp_path, {}, {"run_id": "another", "energy_consumed": "0.020"})
    path.write_text(path.read_text()[:-40])
    [row] = _rows(tmp_path)
    assert row["kwh_per_sample"] == pytest.approx(1e-6)
