"""`python -m benchmarks`: each in a process of its own, one table, and a status that tells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, parsed
from tests.conftest import ROOT

pytestmark = pytest.mark.trains


def benchmarks(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *args]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200
    )


def test_a_benchmark_runs_is_kept_and_ends_with_whether_its_goals_were_held(
    tmp_path: Path,
) -> None:
    done = benchmarks("start_up", "--quick", "--out", str(tmp_path))
    kept = json.loads((tmp_path / "start_up.json").read_text())
    (result,) = kept["results"]
    assert done.returncode == (0 if result["held"] else 1), done.stderr
    assert kept["quick"] is True
    assert result["value"] > 0
    (line,) = [line for line in done.stdout.splitlines() if result["claim"] in line]
    assert line.endswith("| yes |" if result["held"] else "| NO |")


def test_one_that_fails_is_named_and_is_not_a_goal_held(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = benchmarks("start_up", "--quick", "--out", str(tmp_path / "file"))
    assert done.returncode == 1
    assert "failed: start_up; see python -m benchmarks.start_up" in done.stderr


def test_without_a_name_all_are_run() -> None:
    assert parsed([]).names == NAMES
    assert parsed(["start_up", "--quick"]).names == ["start_up"]


def test_an_unknown_one_is_refused_in_one_line_that_names_the_others() -> None:
    done = benchmarks("startup")
    assert done.returncode == 2
    assert "'startup'" in done.stderr and "start_up" in done.stderr
    assert "Traceback" not in done.stderr


NEED_A_GPU = {"sensor_response"}


def test_every_benchmark_of_the_folder_is_run_by_make_bench() -> None:
    has_goals = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        if f'report("{path.stem}"' in path.read_text(encoding="utf-8")
    }
    assert has_goals - NEED_A_GPU == set(NAMES)
