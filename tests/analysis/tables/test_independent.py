"""What others measured stands beside each line, of one scope a column, and checks both numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.independent import facts
from analysis.independent.own_file import NEEDED
from analysis.records.load import load
from analysis.tables.independent import INDEPENDENT_COLUMNS
from analysis.tables.lines import Options
from analysis.tables.paper import table
from metering.record import Phase, PhaseRecord, Reading, Record
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
        "gpu",
        "Quadro RTX 5000",
    )
    assert row["independent_test_check_published"].startswith("low: 0.16 to 0.45 x")
    assert pd.isna(row["independent_train_j_per_sample"]), "nobody trained it there"
    assert pd.isna(row["independent_test_check_ours"]), "nothing was measured here"


def test_our_own_outlier_is_marked(tmp_path: Path) -> None:
    table = table3(tmp_path, *like_the_rtx_5000(VGG16=4.0)).set_index("model")
    ours = table["independent_train_check_ours"]
    assert ours["VGG16"].startswith("high") and ours["ResNet50"].startswith("in line")
    assert ours.notna().sum() == len(NETWORKS)


def test_four_networks_are_too_few_for_a_check(tmp_path: Path) -> None:
    table = table3(tmp_path, *like_the_rtx_5000()[:4])
    assert table["independent_train_check_ours"].isna().all()


def test_the_csv_has_the_columns_and_a_users_file_joins(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    lines = ",".join(NEEDED), "ResNet50,test,wall,my desktop,1000,300,my logbook,own"
    mine.write_text("\n".join(lines), encoding="utf-8")
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


def test_the_check_has_its_ratio_sets_mark_and_scopes_in_columns(tmp_path: Path) -> None:
    table = table3(tmp_path, *like_the_rtx_5000(VGG16=4.0)).set_index("model")
    vgg, resnet = table.loc["VGG16"], table.loc["ResNet50"]
    assert vgg["independent_train_mark_ours"] == "high"
    name = "independent_train_normalised_ours"
    assert vgg[name] > 2 > resnet[name]
    assert resnet["independent_train_mark_ours"] == "in line"
    assert resnet["independent_train_num_sets_ours"] >= 3
    assert resnet["independent_train_scopes_ours"] == "device, gpu"
    b7 = table.loc["EfficientNet B7"]
    assert (b7["independent_test_mark_published"], b7["independent_test_num_sets_published"]) == (
        "low",
        8,
    )


def test_the_ratio_to_a_board_takes_the_gpu_alone(tmp_path: Path) -> None:
    """Runs of twice the RTX 5000's joules, of which the GPU took 80 %."""
    table = table3(tmp_path / "read", *like_the_rtx_5000()).set_index("model")
    assert table.loc["ResNet50"]["independent_train_ratio_ours"] == pytest.approx(1.6)
    cpu = [replace(record, phases=on_the_cpu(record)) for record in like_the_rtx_5000()]
    table = table3(tmp_path / "cpu", *cpu).set_index("model")
    assert pd.isna(table.loc["ResNet50"]["independent_train_ratio_ours"]), "another scope"


def on_the_cpu(record: Record) -> dict[Phase, PhaseRecord]:
    def moved(block: Reading) -> Reading:
        energy = block.energy
        assert energy.gpu_kwh is not None and energy.cpu_kwh is not None
        return replace(
            block, energy=replace(energy, gpu_kwh=None, cpu_kwh=energy.gpu_kwh + energy.cpu_kwh)
        )

    return {
        name: replace(phase, readings=tuple(map(moved, phase.readings)))
        for name, phase in record.phases.items()
    }


def test_show_checks_a_run_beside_its_neighbours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "runs", *like_the_rtx_5000(VGG16=4.0))
    assert main(["show", "runs/VGG16-4"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the GPU alone takes 6.4 x that here (batch 32, fp32): another board" in said
    assert "this set-up's number beside independent ones (device, gpu): high: " in said
    lone = put(tmp_path / "lone", a_record(model="mobilenet_v2", paper_row="MobileNetv2"))
    monkeypatch.chdir(lone)
    assert main(["show", str(lone)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "needs 5 networks that others measured too, and 0 more of this set-up are in" in said


def test_a_scaled_down_study_is_not_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = put(tmp_path / "runs", a_record(model="resnet50", paper_row="ResNet50", scale="small"))
    assert main(["show", str(run)]) == 0
    assert "not checked against independent numbers" in capsys.readouterr().out
