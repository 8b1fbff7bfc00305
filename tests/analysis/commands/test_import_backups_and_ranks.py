"""Logs that CodeCarbon moved, and files that several trackers wrote."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.records.load import load
from tests.analysis.records.codecarbon.logs import a_config, a_log

RUN_ID = "0123abcd-0000-4000-8000-0000000000ff"


def _import(folder: Path, *arguments: str) -> int:
    return main(["import", str(folder), "--out", str(folder / "out"), *arguments])


def _import_rates(folder: Path) -> dict[str, float]:
    assert _import(folder, "--samples", "10000", "--model", "vit") == 0
    frame = load([folder / "out"]).frame.astype({"run_id": str})
    return dict(zip(frame["run_id"].str[-1], frame["kwh_per_sample"], strict=True))


def test_a_backup_holds_runs_of_its_own(tmp_path: Path) -> None:
    ids = [RUN_ID.replace("ff", f"f{last}") for last in "1a"]
    old = a_log(tmp_path, {"run_id": ids[0]})
    old.rename(tmp_path / "emissions.csv_0.bak")
    a_log(tmp_path, {"run_id": ids[1]})
    assert set(_import_rates(tmp_path)) == {"1", "a"}


def test_a_backup_is_older_than_the_config_of_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"run_id": "old"}).rename(tmp_path / "emissions.csv.bak")
    a_log(tmp_path, {"run_id": "new"})
    frame = load([tmp_path]).frame
    assert list(frame["identity"]) == ["new"]
    assert frame["kwh_per_sample"].notna().all()
    assert main(["import", str(tmp_path / "emissions.csv.bak"), "--out", str(tmp_path / "o")]) == 0
    assert "1 phases have a rate" in capsys.readouterr().out


def test_a_run_within_another_may_be_a_part_of_it(tmp_path: Path) -> None:
    ids = [RUN_ID.replace("ff", f"f{last}") for last in range(2)]
    whole = {"run_id": ids[0], "timestamp": "2025-03-01T11:00:00", "duration": "3600"}
    part = {"run_id": ids[1], "timestamp": "2025-03-01T10:50:00", "duration": "2000"}
    a_log(tmp_path, part, whole)
    assert not any(map(isfinite, _import_rates(tmp_path).values()))


def test_runs_of_one_file_and_one_time_may_be_ranks_and_have_no_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [RUN_ID.replace("ff", f"f{last}") for last in range(3)]
    stamps = ("2025-03-01T10:05:00", "2025-03-01T10:05:01", "2025-03-01T14:05:01")
    lines = [
        {"run_id": run_id, "timestamp": stamp, "duration": f"{100 + at}.5"}
        for at, (run_id, stamp) in enumerate(zip(ids, stamps, strict=True))
    ]
    a_log(tmp_path, *lines)
    rates = _import_rates(tmp_path)
    assert {name: isfinite(rate) for name, rate in rates.items()} == {"0": 0, "1": 0, "2": 1}
    assert "may be ranks of one run" in capsys.readouterr().err
    arguments = ("--samples", "10000", "--model", "vit", "--run-id", ids[0])
    assert main(["import", str(tmp_path), "--out", str(tmp_path / "one"), *arguments]) == 0
    assert "1 phases have a rate" in capsys.readouterr().out


def test_a_link_that_leads_nowhere_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "emissions.csv").symlink_to(tmp_path / "annex" / "objects")
    assert _import(tmp_path, "--samples", "10000") == 2
    assert f"left out {tmp_path}/emissions.csv: cannot be read" in capsys.readouterr().err
