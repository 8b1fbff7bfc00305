"""Records and published facts become frames, and the command writes every figure or says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from analysis.__main__ import main
from analysis.figures import gather
from analysis.figures.write import to_svg, write
from analysis.records import load
from metering.record import Energy, Record
from metering.record_file import write as write_record
from tests.analysis.sample_records import a_phase, a_record


def stored(tmp_path: Path, *records: Record) -> Path:
    for number, record in enumerate(records):
        write_record(record, tmp_path / "runs" / str(number))
    return tmp_path / "runs"


def runs_of(tmp_path: Path, *records: Record) -> Any:
    return gather.measured_runs(load.load([stored(tmp_path, *records)]).frame)


def test_published_rows_are_table_3_with_the_index_by_its_definition() -> None:
    rows = gather.published_rows().set_index("model")
    assert len(rows) == 67
    assert rows.loc["ViT-B-JFT", "train_kwh"] == 2139.002
    assert rows.loc["EfficientNetv2 S", "gqi"] == pytest.approx(0.925, abs=1e-3)


def test_the_split_of_a_self_supervised_total_is_estimated_and_adds_up_to_it() -> None:
    stages = gather.published_stages()
    mae = stages[stages["model"] == "ViT-B-MAE"].set_index("stage")
    assert mae.loc["pre-training", "kind"] == "estimated"
    assert mae.loc[["pre-training", "fine-tuning"], "kwh"].sum() == pytest.approx(1824.06, rel=5e-3)
    assert mae.loc["inference", "kind"] == "published"


def test_an_appliances_source_is_a_title_and_no_key() -> None:
    titled = gather._with_titles(gather.published_facts.appliances())
    assert titled["source"].str.len().min() > 15


def test_a_curve_adds_up_every_block_warm_up_included(tmp_path: Path) -> None:
    phase = a_phase(kwh_per_sample=1e-6)
    warm = replace(phase.readings[0], use="warm-up")
    phase = a_phase(kwh_per_sample=1e-6, readings=(warm, *phase.readings[1:]))
    phases = {"train": phase, "test": a_phase("test")}
    record = a_record(phases=phases, scale="small", data_fraction=0.5, data_num_train=1000)
    train, test = runs_of(tmp_path, record).to_dict("records")
    assert train["curve_samples"][-1] == 3200
    assert train["curve_kwh"][-1] == pytest.approx(3200e-6)
    assert train["num_epoch_samples"] == 500
    assert train["is_small"]
    assert test["curve_samples"] == ()


def test_a_block_without_energy_leaves_no_curve(tmp_path: Path) -> None:
    phase = a_phase()
    blind = replace(phase.readings[0], energy=Energy(), use="dropped")
    phase = a_phase(readings=(blind, *phase.readings[1:]))
    (run,) = runs_of(tmp_path, a_record(phases={"train": phase})).to_dict("records")
    assert run["curve_samples"] == ()


def test_failed_runs_and_other_stages_are_not_compared(tmp_path: Path) -> None:
    frame = runs_of(tmp_path, a_record(status="failed"), a_record(stage="pretrain"), a_record())
    assert len(frame) == 2  # one record's train and test


def test_what_was_measured_becomes_an_estimate_beside_the_published_row(tmp_path: Path) -> None:
    frames = gather.frames(load.load([stored(tmp_path, a_record())]).frame)
    swin = frames.rows[frames.rows["model"] == "Swin-T"].set_index("kind")
    assert swin.loc["published", "train_kwh"] == 224.01
    # 300 epochs of ImageNet-1k at 1e-6 kWh an image, and the set-up measured once
    assert swin.loc["estimated", "train_kwh"] == pytest.approx(384.35 + 1e-4, rel=1e-4)
    assert swin.loc["estimated", "accuracy_pct"] == 81.3
    assert "accuracy published" in swin.loc["estimated", "source"]


def test_without_records_the_frames_hold_the_published_facts(tmp_path: Path) -> None:
    frames = gather.frames(load.load([tmp_path]).frame)
    assert len(frames.rows) == 67
    assert frames.runs.empty


def test_a_machine_without_a_gpu_is_named_as_such(tmp_path: Path) -> None:
    frame = runs_of(tmp_path, a_record(device=None, hardware="local"))
    assert set(frame["device"]) == {"CPU (EPYC)"}


@pytest.mark.slow
def test_the_command_writes_every_figure_in_three_formats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = stored(tmp_path, a_record(), a_record(batch_size=64))
    assert main(["figures", str(runs), "--out", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert len(names) == 30
    assert {"figure1.svg", "figure8.pdf", "figure_a5.png"} <= names
    said = capsys.readouterr().out
    assert "not measured: figure7, figure8" in said


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: None])
def test_a_folder_without_records_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any
) -> None:
    make(tmp_path / "runs")
    assert main(["figures", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "name" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["figures", "report"])
def test_an_output_folder_that_is_a_file_is_one_line_and_status_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.setattr("analysis.figures.draw.draw_all", lambda _: {"figure1": Figure()})
    (tmp_path / "out").write_text("mine")
    runs = stored(tmp_path, a_record())
    assert main([command, str(runs), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "name another folder" in said
    assert said.count("\n") == 1
    assert (tmp_path / "out").read_text() == "mine"


def test_a_figure_that_fails_to_draw_leaves_no_file(tmp_path: Path) -> None:
    class Broken(Figure):
        def savefig(self, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        write({"good": Figure(), "broken": Broken()}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_same_figure_is_the_same_file() -> None:
    def drawn() -> str:
        return to_svg(gather_figure())

    assert drawn() == drawn()


def gather_figure() -> Figure:
    from analysis.figures.figure4 import figure4

    return figure4(gather.published_stages())
