"""What a row says of its numbers: shares that others published, accuracies, corrections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.estimates.metrics import gqi
from analysis.records.load import load
from analysis.tables.lines import Options
from analysis.tables.paper import STUDIES, all_tables, table
from metering.record import Record, Sensor, Stage
from tests.analysis.sample_records import IMAGES, TRAIN, a_phase, a_record, put

TEACHER_KWH = 136.05  # RegNetY-16GF's printed row
DISTILLED: dict[str, Any] = {
    "model": "deit_t",
    "paper_row": "DeIT-T-300Ep",
    "recipe": (TRAIN, Stage("teacher", row="RegNetY-16GF")),
}
OWN_KWH = 300 * IMAGES * 1e-6 + 1e-4


def row_of(folder: Path, record: Record, **options: Any) -> dict[str, Any]:
    """The one measured row of the record's task."""
    rows = table(load([put(folder, record)]).frame, record.task, Options(**options))
    [row] = rows[rows["hardware"].notna()].to_dict("records")
    return row


def test_a_published_part_is_shown_as_a_share_and_takes_the_interval(tmp_path: Path):
    row = row_of(tmp_path, a_record(**DISTILLED))
    whole = OWN_KWH + TEACHER_KWH
    assert row["estimated_train_kwh"] == pytest.approx(whole)
    assert row["estimated_published_share_pct"] == pytest.approx(100 * TEACHER_KWH / whole)
    assert pd.isna(row["estimated_train_kwh_half_width"])
    assert pd.isna(row["estimated_gqi_half_width"])
    assert "% of it is published: no interval" in row["footnotes"]["estimated_train_kwh"]


def test_what_was_measured_alone_has_no_published_share(tmp_path: Path):
    row = row_of(tmp_path, a_record())
    assert row["estimated_published_share_pct"] == 0
    assert row["estimated_train_kwh_half_width"] == pytest.approx(300 * IMAGES * 2e-8)


def test_wall_and_emission_factors_leave_published_parts_as_they_are(tmp_path: Path):
    profile = {"factor": 1.1, "offset_w": 0.0, "error_pct": 3.0}
    phases = {"train": a_phase(emissions_kg_co2eq=0.2 * 3200e-6)}
    config = {"hardware": {"devices": 1, "wall_meter": profile}}
    row = row_of(tmp_path, a_record(**DISTILLED, phases=phases, config=config))
    assert row["estimated_train_wall_kwh"] == pytest.approx(1.1 * OWN_KWH + TEACHER_KWH)
    assert row["estimated_train_kg_co2eq"] == pytest.approx(0.2 * OWN_KWH)
    assert "measured part alone" in row["footnotes"]["estimated_train_kg_co2eq"]


def test_one_alpha_and_beta_for_ours_and_the_papers(tmp_path: Path):
    row = row_of(tmp_path, a_record(), alpha=1.0, beta=1.0)
    assert row["published_gqi"] == pytest.approx(gqi(81.3, 224.01, alpha=1, beta=1).value)
    assert row["estimated_gqi"] == pytest.approx(gqi(81.3, OWN_KWH, alpha=1, beta=1).value)
    assert "alpha=1 and beta=1" in row["footnotes"]["published_gqi"]
    printed = row_of(tmp_path, a_record())
    assert "published_gqi" not in printed["footnotes"]


def with_top1(top1_pct: float, **more: Any) -> Record:
    test = a_phase("test", 2.5e-7, quality={"top1_pct": top1_pct, "num_test_samples": 50_000.0})
    return a_record(phases={"train": a_phase(), "test": test}, **more)


@pytest.mark.parametrize(
    ("more", "origin", "accuracy_pct"),
    [
        ({"data": "imagenet", "data_origin": "real", "checkpoint_digest": "ab"}, "measured", 70.0),
        ({"data": "imagenet", "data_origin": "real"}, "published", 81.3),
        ({"data_origin": "embedded", "checkpoint_digest": "ab"}, "published", 81.3),
    ],
    ids=["a checkpoint on the real set", "weights of a minute's training", "embedded files"],
)
def test_the_accuracy_in_an_index_is_measured_on_the_real_set_else_published(
    tmp_path: Path, more: dict[str, Any], origin: str, accuracy_pct: float
):
    row = row_of(tmp_path, with_top1(70.0, **more))
    assert row["estimated_gqi_accuracy"] == origin
    assert row["estimated_gqi"] == pytest.approx(gqi(accuracy_pct, OWN_KWH).value)
    is_real = more["data_origin"] == "real"
    assert (row["measured_top1_pct"] == 70.0) is is_real, "the columns stay apart"


def test_the_interval_of_a_measured_accuracy_is_its_own_test_sets(tmp_path: Path):
    real = {"data": "imagenet", "data_origin": "real", "checkpoint_digest": "ab"}
    row = row_of(tmp_path, with_top1(70.0, **real))
    by_accuracy = 100 * 1.96 * (0.7 * 0.3 / 50_000) ** 0.5
    kwh_half_width = 300 * IMAGES * 2e-8
    expected = gqi(70.0, OWN_KWH, kwh_half_width, accuracy_half_width_pct=by_accuracy)
    assert row["estimated_gqi_half_width"] == pytest.approx(expected.half_width, rel=1e-3)


def test_a_mean_iou_has_no_interval_and_the_row_says_why(tmp_path: Path):
    record = a_record(
        task="segmentation",
        model="mask2former",
        paper_row="Mask2Former (ResNet50)",
        data="cityscapes",
        recipe=(Stage("train", dataset="cityscapes", num_samples=2975, num_epochs=5_000),),
    )
    row = row_of(tmp_path, record)
    assert row["estimated_gqi"] > 0 and pd.isna(row["estimated_gqi_half_width"])
    assert "sampling error of mIoU" in row["footnotes"]["estimated_gqi"]


@pytest.mark.parametrize("more", [{"scale": "small"}, {"input_size": (64, 64)}])
def test_a_study_is_in_a_table_of_its_own_and_has_no_kwh(tmp_path: Path, more: dict[str, Any]):
    tables = all_tables(load([put(tmp_path, a_record(**more))]).frame)
    assert tables["table3"]["hardware"].isna().all()
    assert tables["table3"]["estimated_train_kwh"].isna().all()
    [row] = tables[STUDIES].to_dict("records")
    assert row["measured_train_kwh_per_sample"] == 1e-6 and row["tier"] == "small"
    assert not any(name.startswith(("estimated", "published")) for name in row)


def test_embedded_files_stand_in_for_a_cost_and_the_row_says_so(tmp_path: Path):
    notes = row_of(tmp_path, a_record())["footnotes"]["model"]
    assert "embedded files stand in for ImageNet-1k's cost, never for its accuracy" in notes


def test_kept_batches_are_the_networks_part_of_the_cost_and_the_row_says_so(tmp_path: Path):
    row = row_of(tmp_path, a_record(data="tensors", data_options={"kept_batches": 8}))
    notes = row["footnotes"]["model"]
    assert "reading and decoding are in no number, so it is the network's part" in notes
    assert "stand in for" not in notes


def test_a_phase_that_no_sensor_read_is_modelled_whatever_the_set_up_says(tmp_path: Path):
    phase = a_phase(sensors={"gpu": Sensor("modelled")})
    assert row_of(tmp_path, a_record(phases={"train": phase}))["tier"] == "modelled"


def test_rows_that_would_look_alike_say_what_differs(tmp_path: Path):
    records = [a_record(versions={"torch": version}) for version in ("2.7.1", "2.11.0")]
    rows = table(load([put(tmp_path, *records)]).frame, "classification")
    variants = sorted(rows[rows["hardware"].notna()]["variant"])
    assert variants == ["versions torch 2.11.0", "versions torch 2.7.1"]


def test_identity_runs_and_paths_are_columns(tmp_path: Path):
    first, second = a_record(), a_record()
    rows = table(load([put(tmp_path, first, second)]).frame, "classification")
    [row] = rows[rows["hardware"].notna()].to_dict("records")
    assert row["identity"] == first.identity
    assert row["run_id"].split("; ") == [first.run_id, second.run_id]
    assert all(Path(path).is_file() for path in row["path"].split("; "))
