"""A run that lies in two folders counts once."""

from __future__ import annotations

from pathlib import Path

from analysis.records.load import load
from tests.analysis.records.codecarbon.logs import a_config, a_log


def test_a_copy_of_a_run_counts_once(tmp_path: Path) -> None:
    for name in ("a", "copy of a"):
        a_config(tmp_path / name)
        a_log(tmp_path / name, {})
    loaded = load([tmp_path])
    assert len(loaded.frame) == 1
    assert "the same run as in" in loaded.problems[0].reason


def test_a_copy_that_was_changed_is_named(tmp_path: Path) -> None:
    for name, kwh in (("a", "0.010"), ("b", "0.009")):
        a_config(tmp_path / name)
        a_log(tmp_path / name, {"energy_consumed": kwh})
    loaded = load([tmp_path])
    assert loaded.frame["energy_kwh"].tolist() == [0.01]
    assert "one of the two was changed" in loaded.problems[0].reason


def test_an_earlier_state_of_a_run_is_left_out_for_the_whole(tmp_path: Path) -> None:
    for name, seconds in (("a", "50"), ("b", "100")):
        a_config(tmp_path / name)
        a_log(tmp_path / name, {"duration": seconds})
    loaded = load([tmp_path])
    assert loaded.frame["duration_s"].tolist() == [100.0]
    assert "an earlier state of the run in" in loaded.problems[0].reason
