from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from analysis.records.load import load
from analysis.tables.diff import diff
from analysis.tables.lines import Options
from analysis.tables.paper import STUDIES, all_tables, table
from metering.record import Energy, Overhead, PhaseRecord, Stage
from tests.analysis.sample_records import IMAGES, TRAIN, a_phase, a_record, put


def _table3(folder: Path, *records, **options) -> pd.DataFrame:
    return table(load([put(folder, *records)]).frame, "classification", Options(**options))


def _row(rows: pd.DataFrame, model: str) -> dict:
    [row] = rows[rows["model"] == model].to_dict("records")
    return row


def _emitting(kg: float | None, **more) -> dict[str, PhaseRecord]:
    return {"train": a_phase(emissions_kg_co2eq=kg, **more)}


def test_the_estimates_emissions_follow_from_the_measured_factor(tmp_path: Path):
    """3,200 images took 3,200e-6 kWh and 7.6e-4 kg: 0.2375 kg per kWh, of the whole training."""
    row = _row(_table3(tmp_path, a_record(phases=_emitting(7.6e-4))), "Swin-T")
    kwh = 300 * IMAGES * 1e-6 + 1e-4
    assert row["estimated_train_kg_co2eq"] == pytest.approx(0.2375 * kwh)


def test_emissions_of_merged_records_are_weighed_by_their_samples(tmp_path: Path):
    """One record of 3,200 images at 0.2 kg per kWh, one of 320 at 0.4."""
    few = a_phase().readings[:1]
    records = (
        a_record(phases=_emitting(0.2 * 3200e-6)),
        a_record(phases=_emitting(0.4 * 320e-6, readings=few)),
    )
    row = _row(_table3(tmp_path, *records), "Swin-T")
    factor = (0.2 * 3200 + 0.4 * 320) / 3520
    assert row["estimated_train_kg_co2eq"] == pytest.approx(factor * row["estimated_train_kwh"])


def test_without_measured_emissions_there_are_no_estimated_ones(tmp_path: Path):
    row = _row(_table3(tmp_path, a_record(phases=_emitting(None))), "Swin-T")
    assert pd.isna(row["estimated_train_kg_co2eq"])


def test_without_records_the_tables_are_the_papers():
    nothing = load([]).frame
    tables = all_tables(nothing)
    assert {name: len(rows) for name, rows in tables.items()} == {
        "table1": 8,
        "table2": 14,
        "table3": 67,
    }
    assert tables["table3"]["estimated_train_kwh"].isna().all()


def test_a_measured_row_stands_beside_the_published_one(tmp_path: Path):
    row = _row(_table3(tmp_path, a_record()), "Swin-T")
    assert row["published_train_kwh"] == 224.01
    assert row["measured_train_kwh_per_sample"] == 1e-6
    assert row["estimated_train_kwh"] == pytest.approx(300 * IMAGES * 1e-6 + 1e-4)
    assert row["estimated_test_kwh"] == pytest.approx(50_000 * 2.5e-7)
    assert row["measured_params_m"] == 28.288


def test_every_number_says_what_it_is_by_its_column(tmp_path: Path):
    rows = _table3(tmp_path, a_record())
    numbers = rows.select_dtypes("number").columns
    kinds = {name.split("_")[0] for name in numbers if name != "batch_size"}
    assert kinds == {"published", "measured", "estimated", "independent"}


def test_a_published_row_without_measurement_has_no_measured_number(tmp_path: Path):
    row = _row(_table3(tmp_path, a_record()), "Swin-S")
    assert all(
        pd.isna(value) for name, value in row.items() if name.startswith(("measured", "estimated"))
    )


SHIPPED = Path(__file__).parents[3] / "results/records/small/segmentation/mask2former"


def test_a_small_study_gives_rates_in_a_table_of_its_own():
    """A record that this repository ships, of a scaled-down run on a CPU."""
    tables = all_tables(load([SHIPPED]).frame)
    assert tables["table1"]["hardware"].isna().all(), "no row of the paper"
    row = _row(tables[STUDIES], "Mask2Former (ResNet50)")
    assert row["dataset"] == "Cityscapes" and row["scale"] == "small" and row["tier"] == "small"
    assert row["measured_train_kwh_per_sample"] == pytest.approx(6.655e-6, rel=1e-3)
    assert row["measured_test_kwh_per_sample"] == pytest.approx(3.222e-6, rel=1e-3)
    assert row["measured_params_m"] == pytest.approx(44.01, rel=1e-3)
    assert row["measured_gmacs"] == pytest.approx(66.30, rel=1e-3)
    assert not any(name.startswith("estimated") for name in row)


def test_a_segmentation_record_stands_in_its_row_of_table_1(tmp_path: Path):
    record = a_record(
        task="segmentation",
        model="mask2former",
        paper_row="Mask2Former (ResNet50)",
        data="cityscapes",
        recipe=(Stage("train", dataset="cityscapes", num_samples=2975, num_epochs=484),),
    )
    rows = all_tables(load([put(tmp_path, record)]).frame)["table1"]
    row = _row(rows, "Mask2Former (ResNet50)")
    assert len(rows) == 8 and rows["measured_train_kwh_per_sample"].notna().sum() == 1
    assert row["estimated_train_kwh"] == pytest.approx(484 * 2975 * 1e-6 + 1e-4)
    for column in ("published_params_m", "published_gmacs"):
        assert "figures of the ResNet101 network" in row["footnotes"][column]


def test_two_set_ups_are_two_rows(tmp_path: Path):
    rows = _table3(tmp_path, a_record(), a_record(batch_size=64))
    assert sorted(rows[rows["model"] == "Swin-T"]["batch_size"]) == [32, 64]


def test_a_network_without_a_paper_row_is_appended_and_says_what_is_missing(tmp_path: Path):
    row = _row(
        _table3(tmp_path, a_record(model="resnet50d", paper_row=None, recipe=())), "resnet50d"
    )
    assert pd.isna(row["published_train_kwh"])
    assert pd.isna(row["estimated_train_kwh"])
    assert row["footnotes"]["estimated_train_kwh"] == "no recipe is known"


def test_under_one_kwh_the_index_is_absent_with_a_note(tmp_path: Path):
    phases = {"train": a_phase(kwh_per_sample=1e-10, half_width=None)}
    row = _row(_table3(tmp_path, a_record(phases=phases)), "Swin-T")
    assert pd.isna(row["estimated_gqi"])
    assert "undefined at or under 1 kWh" in row["footnotes"]["estimated_gqi"]


def test_what_the_meter_flagged_is_a_footnote(tmp_path: Path):
    phases = {"train": a_phase(flags=("meters disagree by 4 %",))}
    row = _row(_table3(tmp_path, a_record(phases=phases)), "Swin-T")
    assert "meters disagree by 4 %" in row["footnotes"]["model"]


def test_accounting_paper_uses_the_papers_recipe(tmp_path: Path):
    record = a_record(model="resnet18", paper_row="ResNet18", recipe=(TRAIN,))
    row = _row(_table3(tmp_path, record, accounting="paper"), "ResNet18")
    assert row["estimated_train_kwh"] == pytest.approx(60 * IMAGES * 1e-6)


def test_diff_gives_relative_differences_and_flags(tmp_path: Path):
    differences = diff(_table3(tmp_path, a_record()))
    [row] = differences.to_dict("records")
    expected = 100 * ((300 * IMAGES * 1e-6 + 1e-4) / 224.01 - 1)
    assert row["diff_train_kwh_pct"] == pytest.approx(expected)
    assert "train_kwh differs" in row["flag"]
    assert "params_m" not in row["flag"]


def test_a_test_only_record_is_shown(tmp_path: Path):
    rows = _table3(tmp_path, a_record(phases={"test": a_phase("test", 2.5e-7)}))
    row = _row(rows, "Swin-T")
    assert row["measured_test_kwh_per_sample"] == 2.5e-7
    assert pd.isna(row["estimated_train_kwh"])


def test_evaluations_and_checkpoint_writes_are_added_when_asked_for(tmp_path: Path):
    """300 epochs: 300 evaluations of 50,000 images at 2.5e-7 kWh, 300 writes of 2e-5 kWh."""
    write = Overhead("checkpoint", 0.1, Energy(cpu_kwh=2e-5))
    record = a_record(overheads=(*a_record().overheads, write))
    without = _row(_table3(tmp_path / "a", record), "Swin-T")
    row = _row(_table3(tmp_path / "b", record, evaluations=1.0, checkpoints=1.0), "Swin-T")
    added = row["estimated_train_kwh"] - without["estimated_train_kwh"]
    assert added == pytest.approx(300 * (50_000 * 2.5e-7 + 2e-5))
    # the two rates err independently: in quadrature
    both = math.hypot(300 * IMAGES * 2e-8, 300 * 50_000 * 5e-9)
    assert without["estimated_train_kwh_half_width"] == pytest.approx(300 * IMAGES * 2e-8)
    assert row["estimated_train_kwh_half_width"] == pytest.approx(both, rel=1e-9)
    assert "with 300 evaluations" in row["footnotes"]["estimated_train_kwh"]


def test_a_checkpoint_write_that_was_not_measured_is_left_out_and_said(tmp_path: Path):
    row = _row(_table3(tmp_path, a_record(), checkpoints=1.0), "Swin-T")
    assert "checkpoint writes left out" in row["footnotes"]["estimated_train_kwh"]
