from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from analysis.records.load import load
from analysis.tables.paper import Options, diff, table1, table2, table3
from metering.record import Energy, Overhead, PhaseRecord
from tests.analysis.sample_records import IMAGES, TRAIN, a_phase, a_record, put


def _table3(folder: Path, *records, **options) -> pd.DataFrame:
    return table3(load([put(folder, *records)]).frame, Options(**options))


def _row(table: pd.DataFrame, model: str) -> dict:
    [row] = table[table["model"] == model].to_dict("records")
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
    assert [len(table(nothing)) for table in (table1, table2, table3)] == [8, 14, 67]
    assert table3(nothing)["estimated_train_kwh"].isna().all()


def test_a_measured_row_stands_beside_the_published_one(tmp_path: Path):
    row = _row(_table3(tmp_path, a_record()), "Swin-T")
    assert row["published_train_kwh"] == 224.01
    assert row["measured_train_kwh_per_sample"] == 1e-6
    assert row["estimated_train_kwh"] == pytest.approx(300 * IMAGES * 1e-6 + 1e-4)
    assert row["estimated_test_kwh"] == pytest.approx(50_000 * 2.5e-7)
    assert row["measured_params_m"] == 28.288


def test_every_number_says_what_it_is_by_its_column(tmp_path: Path):
    table = _table3(tmp_path, a_record())
    numbers = table.select_dtypes("number").columns
    kinds = {name.split("_")[0] for name in numbers if name != "batch_size"}
    assert kinds == {"published", "measured", "estimated"}


def test_a_published_row_without_measurement_has_no_measured_number(tmp_path: Path):
    row = _row(_table3(tmp_path, a_record()), "Swin-S")
    assert all(
        pd.isna(value) for name, value in row.items() if name.startswith(("measured", "estimated"))
    )


def test_a_segmentation_record_stands_in_its_row_of_table_1():
    """A record that this repository ships, of a small study on a CPU."""
    shipped = Path(__file__).parents[3] / "results/records/small/segmentation/mask2former"
    table = table1(load([shipped]).frame)
    row = _row(table, "Mask2Former (ResNet50)")
    assert len(table) == 8 and table["measured_train_kwh_per_sample"].notna().sum() == 1
    assert row["dataset"] == "Cityscapes" and row["scale"] == "small"
    assert row["measured_train_kwh_per_sample"] == pytest.approx(6.655e-6, rel=1e-3)
    assert row["measured_test_kwh_per_sample"] == pytest.approx(3.222e-6, rel=1e-3)
    assert row["measured_params_m"] == pytest.approx(44.01, rel=1e-3)
    assert row["measured_gmacs"] == pytest.approx(66.30, rel=1e-3)
    # 2,975 images, 484 epochs, and the backbone's published electricity
    assert row["estimated_train_kwh"] > 484 * 2975 * row["measured_train_kwh_per_sample"]
    for column in ("published_params_m", "published_gmacs"):
        assert "figures of the ResNet101 network" in row["footnotes"][column]


def test_two_set_ups_are_two_rows(tmp_path: Path):
    table = _table3(tmp_path, a_record(), a_record(batch_size=64))
    assert sorted(table[table["model"] == "Swin-T"]["batch_size"]) == [32, 64]


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


def test_a_small_study_is_marked(tmp_path: Path):
    row = _row(_table3(tmp_path, a_record(scale="small")), "Swin-T")
    assert row["scale"] == "small"
    assert "scaled-down study" in row["footnotes"]["model"]


def test_what_the_meter_flagged_is_a_footnote(tmp_path: Path):
    phases = {"train": a_phase(flags=("meters disagree by 4 %",))}
    row = _row(_table3(tmp_path, a_record(phases=phases)), "Swin-T")
    assert "meters disagree by 4 %" in row["footnotes"]["model"]


def test_accounting_paper_uses_the_papers_recipe(tmp_path: Path):
    record = a_record(model="resnet18", paper_row="ResNet18", recipe=(TRAIN,))
    row = _row(_table3(tmp_path, record, accounting="paper"), "ResNet18")
    assert row["estimated_train_kwh"] == pytest.approx(60 * IMAGES * 1e-6)


def test_overlapping_intervals_do_not_keep_their_rank(tmp_path: Path):
    wide = {"train": a_phase(kwh_per_sample=1.001e-6, half_width=3e-7)}
    other = a_record(model="swin_s", paper_row="Swin-S", phases=wide)
    alone = _row(_table3(tmp_path / "a", a_record()), "Swin-T")
    assert alone["estimated_rank_stability"] == 1.0
    # Swin-S is published at 83.0 %, so its index is higher unless its electricity is
    near = _row(_table3(tmp_path / "b", a_record(), other), "Swin-S")
    assert 0.5 < near["estimated_rank_stability"] <= 1.0


def test_diff_gives_relative_differences_and_flags(tmp_path: Path):
    found = diff(_table3(tmp_path, a_record()))
    [row] = found.to_dict("records")
    expected = 100 * ((300 * IMAGES * 1e-6 + 1e-4) / 224.01 - 1)
    assert row["diff_train_kwh_pct"] == pytest.approx(expected)
    assert "train_kwh differs" in row["flag"]
    assert "params_m" not in row["flag"]


def test_a_test_only_record_is_shown(tmp_path: Path):
    table = _table3(tmp_path, a_record(phases={"test": a_phase("test", 2.5e-7)}))
    row = _row(table, "Swin-T")
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
