"""A fourth task is one entry in the catalogue: its records get a table without an edit here."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.estimates.merge import merge
from analysis.records.load import load
from analysis.tables.paper import all_tables
from metering import catalogue
from metering.catalogue import DataSet, TaskFacts
from metering.record import Stage
from tests.analysis.sample_records import a_phase, a_record, put

DEPTH = TaskFacts("depth", "Depth estimation", "depth", "delta1_pct", "delta < 1.25", "image")
NYU = DataSet("nyu", "NYUv2", "depth", 24_231, 654, None, in_table=True)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "TASKS", (*catalogue.TASKS, DEPTH))
    monkeypatch.setattr(catalogue, "DATA_SETS", (*catalogue.DATA_SETS, NYU))
    record = a_record(
        task="depth",
        model="midas",
        paper_row=None,
        data="nyu",
        data_origin="real",
        recipe=(Stage("train", dataset="nyu", num_samples=24_231, num_epochs=30),),
        phases={
            "train": a_phase(),
            "test": a_phase("test", 2.5e-7, quality={"delta1_pct": 88.0}),
        },
    )
    return put(tmp_path / "runs", record)


def test_its_records_are_merged_and_stand_in_a_table_of_their_own(runs: Path):
    frame = load([runs]).frame
    [one] = merge(frame)
    assert (one.task, one.dataset, one.accuracy_pct) == ("depth", "NYUv2", 88.0)
    tables = all_tables(frame)
    assert list(tables) == ["table1", "table2", "table3", "depth"]
    [row] = tables["depth"].to_dict("records")
    assert row["model"] == "midas"
    assert row["measured_delta1_pct"] == 88.0
    assert row["estimated_train_kwh"] == pytest.approx(30 * 24_231 * 1e-6 + 1e-4)
    assert row["estimated_test_kwh"] == pytest.approx(654 * 2.5e-7)
    assert pd.isna(row["published_train_kwh"])


def test_the_command_writes_and_titles_it(runs: Path, tmp_path: Path):
    assert main(["tables", str(runs), "--out", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "depth.csv").open(newline="") as stream:
        [row] = csv.DictReader(stream)
    assert float(row["measured_train_kwh_per_sample"]) == 1e-6
    page = (tmp_path / "out" / "depth.md").read_text()
    assert "# Depth estimation: electricity, delta < 1.25 and GQI" in page
    assert "delta < 1.25 (%), measured" in page.replace("&lt;", "<").replace("\\<", "<")


def test_without_an_entry_its_records_are_shown_under_the_tasks_name(tmp_path: Path):
    record = a_record(task="pose", model="hrnet", paper_row=None, data="coco", recipe=())
    tables = all_tables(load([put(tmp_path, record)]).frame)
    assert tables["pose"]["model"].tolist() == ["hrnet"]
