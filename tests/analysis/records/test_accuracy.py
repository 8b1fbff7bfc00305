"""An accuracy is shown where its labels mean something and the whole test set was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.export.from_record import run_facts
from analysis.records.load import load
from analysis.tables.paper import table
from metering.record import Record
from tests.analysis.sample_records import a_phase, a_record, put

REAL = {"data": "imagenet", "data_origin": "real", "checkpoint_digest": "ab"}


def a_test_of(num: float | None, **more: Any) -> Record:
    quality = {"top1_pct": 70.0, "top5_pct": 90.0}
    if num is not None:
        quality["num_test_samples"] = num
    test = a_phase("test", 2.5e-7, quality=quality)
    return a_record(phases={"train": a_phase(), "test": test}, **more)


@pytest.mark.parametrize("data", [{}, {"data_origin": "unknown"}, {"data": "imagenet"}])
def test_labels_of_embedded_files_have_no_accuracy_anywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: dict[str, Any]
) -> None:
    record = a_test_of(50_000.0, **data)
    runs = put(tmp_path, record)
    row = table(load([runs]).frame, "classification").set_index("model").loc["Swin-T"]
    assert pd.isna(row["measured_top1_pct"])
    assert row["estimated_gqi_accuracy"] == "published"
    assert "labels of embedded files mean nothing" in row["footnotes"]["model"]
    assert main(["show", str(runs)]) == 0
    assert "accuracy 70 %" not in capsys.readouterr().out
    assert "top1_pct" not in run_facts(record).phases[1].quality


@pytest.mark.parametrize(
    ("num", "more", "accuracy_pct"),
    [
        (50_000.0, REAL, 70.0),
        (100.0, REAL, None),
        (None, REAL, 70.0),
        (100.0, {"data": "mine", "data_origin": "own", "data_num_test": 100}, 70.0),
        (99.0, {"data": "mine", "data_origin": "own", "data_num_test": 100}, None),
        (100.0, {"data": "mine", "data_origin": "own"}, 70.0),
    ],
)
def test_an_accuracy_over_a_part_of_the_test_set_is_none(
    tmp_path: Path, num: float | None, more: dict[str, Any], accuracy_pct: float | None
) -> None:
    frame = load([put(tmp_path, a_test_of(num, **more))]).frame.set_index("phase")
    found, flags = frame.loc["test", "accuracy_pct"], frame.loc["test", "flags"]
    assert (pd.isna(found) and "test samples were seen" in flags) or found == accuracy_pct
    assert pd.isna(found) == (accuracy_pct is None)


@pytest.mark.parametrize("num", [0.0, -1.0, 99.5])
def test_a_number_of_samples_that_cannot_be_is_refused(tmp_path: Path, num: float) -> None:
    [problem] = load([put(tmp_path, a_test_of(num, **REAL))]).problems
    assert "num_test_samples" in problem.reason
