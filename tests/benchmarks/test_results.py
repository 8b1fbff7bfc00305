"""The table of claims: a missed goal is shown as missed, and kept with its circumstances."""

from __future__ import annotations

import json

import pytest

from benchmarks.results import Result, parser, report


@pytest.mark.parametrize(
    ("value", "better", "held"),
    [
        (1.0, "at least", True),
        (0.99, "at least", False),
        (1.0, "at most", True),
        (1.01, "at most", False),
    ],
)
def test_a_goal_is_held_on_its_good_side(value, better, held):
    assert Result("quick", value, 1.0, better).held is held


def test_a_result_is_printed_and_kept_with_host_date_and_versions(tmp_path, capsys):
    options = parser("").parse_args(["--out", str(tmp_path)])
    report("example", [Result("quick", 2.5, 3.0, "at least", "s")], options)
    assert "| quick | 2.5 s | >= 3 s | NO |" in capsys.readouterr().out
    kept = json.loads((tmp_path / "example.json").read_text())
    assert kept["results"][0]["held"] is False
    assert kept["date"] and kept["host"]["cpu_model"] and kept["versions"]["torch"]
