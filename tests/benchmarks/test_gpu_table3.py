"""The GPU sweep of Table 3, on the CPU with two small networks: kept, resumed, limited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import gpu_table3

SMALL = [
    "hardware.accelerator=cpu",
    "batch_size=2",
    "data.options.num_files=8",
    "data.num_workers=0",
    "meter.time_budget_s=1",
    "meter.idle_s=0",
]


@pytest.fixture
def sweep(tmp_path: Path, cache_dir: Path):
    def run(*arguments: str) -> int:
        out = ["--out", str(tmp_path / "out"), "--models", "test_resnet,test_vit"]
        return gpu_table3.main([*out, *arguments, *SMALL, f"data.cache_dir={cache_dir}"])

    return run


def test_it_sweeps_the_67_rows_of_table_3():
    assert len(set(gpu_table3.table3_models())) == 67


@pytest.mark.trains
def test_rows_are_measured_once_and_the_share_of_time_in_windows_is_said(sweep, tmp_path, capsys):
    assert sweep() == 0
    share = json.loads((tmp_path / "out" / "time_share.json").read_text())
    assert share["num_measured"] == 2
    assert 0 < share["window_share"] < 1
    assert "2 rows measured now, 0 earlier, 0 failed, 0 left" in capsys.readouterr().out
    assert sweep() == 0
    assert "0 rows measured now, 2 earlier" in capsys.readouterr().out


def test_no_row_is_begun_that_would_not_end_in_time(sweep, capsys):
    assert sweep("--minutes", "0.01") == 1
    assert "0 failed, 2 left" in capsys.readouterr().out


@pytest.mark.slow
def test_without_a_gpu_the_cure_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert gpu_table3.main(["--out", str(tmp_path), "--models", "resnet18"]) == 2
    assert "hardware.accelerator=cuda" in capsys.readouterr().err
