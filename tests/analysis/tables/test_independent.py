"""What others measured stands beside each line, of one scope a column, and checks both numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.independent import facts
from analysis.records.load import load
from analysis.tables.independent import INDEPENDENT_COLUMNS
from analysis.tables.lines import Options
from analysis.tables.paper import table
from metering.record import Record
from tests.analysis.sample_records import a_phase, a_record, put

NETWORKS = ("MobileNetv2", "ResNet50", "ResNet101", "ResNet152", "VGG16", "VGG19")


def table3(folder: Path, *records: Record, **options: tuple[str, ...]) -> pd.DataFrame:
    folder.mkdir(parents=True, exist_ok=True)
    return table(load([put(folder, *records)]).frame, "classification", Options(**options))


def like_the_rtx_5000(**times: float) -> list[Record]:
    """A run of each network that takes twice what the RTX 5000 took, times so much."""
    rows = facts.energy()
    rows = rows[(rows["hardware"] == "Quadro RTX 5000") & (rows["phase"] == "train")]
    rows = rows[rows["framework"].str.startswith("PyTorch")]
    joules = rows.set_index("row")["j_per_sample"]
    records = []
    for name in NETWORKS:
        kwh = 2 * joules[name] / 3.6e6 * times.get(name, 1.0)
        phases = {"train": a_phase("train", kwh, kwh / 50)}
        records.append(a_record(model=name, paper_row=name, phases=phases))
    return records


def test_a_published_row_has_what_others_measured_and_a_check(tmp_path: Path) -> None:
    row = table3(tmp_path).set_index("model").loc["EfficientNet B7"]
    assert row["independent_test_j_per_sample"] == pytest.approx(7.432, abs=1e-3)
    assert (row["independent_test_scope"], row["independent_test_hardware"]) == (
        "gpu", "Quadro RTX 5000",
    )  # fmt: skip
    assert row["independent_test_check_published"].startswith("low: 0.16 to 0.45 x")
    assert pd.isna(row["independent_train_j_per_sample"]), "nobody trained it there"
    assert pd.isna(row["independent_test_check_ours"]), "nothing was measured here"


def test_our_own_outlier_is_marked(tmp_path: Path) -> None:
    found = table3(tmp_path, *like_the_rtx_5000(VGG16=4.0)).set_index("model")
    ours = found["independent_train_check_ours"]
    assert ours["VGG16"].startswith("high") and ours["ResNet50"].startswith("in line")
    assert ours.notna().sum() == len(NETWORKS)


def test_four_networks_are_too_few_for_a_check(tmp_path: Path) -> None:
    found = table3(tmp_path, *like_the_rtx_5000()[:4])
    assert found["independent_train_check_ours"].isna().all()


def test_the_csv_has_the_columns_and_a_users_file_joins(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text(",".join(facts.NEEDED) + "\n", encoding="utf-8")
    put(tmp_path / "runs", *like_the_rtx_5000())
    arguments = [
        "tables",
        str(tmp_path / "runs"),
        "--out",
        str(tmp_path / "out"),
        "--format",
        "csv",
    ]
    assert main([*arguments, "--independent", str(mine)]) == 0
    written = pd.read_csv(tmp_path / "out/table3.csv")
    assert set(INDEPENDENT_COLUMNS) <= set(written.columns)
    assert main([*arguments, "--independent", "nowhere.csv"]) == 2
