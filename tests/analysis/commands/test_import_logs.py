"""`python -m analysis import`: logs become records that everything else reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.commands.export import gather
from analysis.figures.gather import measured_runs
from analysis.named_folders import summary
from analysis.records.load import load
from metering.record_file import read
from tests.analysis.records.codecarbon.logs import a_config, a_log

RUN_ID = "0123abcd-0000-4000-8000-0000000000ff"


def _import(folder: Path, *arguments: str) -> int:
    return main(["import", str(folder), "--out", str(folder / "out"), *arguments])


def test_a_log_without_a_config_becomes_a_record(tmp_path: Path) -> None:
    a_log(tmp_path / "logs", {"run_id": RUN_ID, "pue": "1.25", "tracking_mode": "process"})
    done = _import(
        tmp_path,
        "--samples",
        "10000",
        "--model",
        "vit_b",
        "--batch-size",
        "64",
        "--data",
        "imagenet",
        "--precision",
        "fp32",
    )
    assert done == 0
    [path] = (tmp_path / "out").rglob("record.json")
    record = read(path)
    assert record.run_id == RUN_ID.replace("-", "")
    assert (record.model, record.batch_size, record.data) == ("vit_b", 64, "imagenet")
    found = record.setup.found
    assert found is not None
    assert (found.reader, found.scope, found.device) == (
        "codecarbon 3.0",
        "process",
        "NVIDIA GeForce RTX 3090",
    )
    [phase] = record.phases.values()
    assert phase.energy_kwh_per_sample is not None
    assert phase.energy_kwh_per_sample.mean == pytest.approx(1e-6 / 1.25)
    assert phase.energy_kwh_per_sample.half_width is None
    assert {name: sensor.how for name, sensor in phase.sensors.items()} == {
        "gpu": "counter",
        "cpu": "modelled",
        "ram": "modelled",
    }


def test_the_machine_is_as_the_log_has_it(tmp_path: Path) -> None:
    machine = {
        "ram_total_size": "251.5",
        "cpu_count": "32",
        "os": "Linux",
        "python_version": "3.10",
    }
    a_log(tmp_path / "logs", machine, machine | {"run_id": "run-2", "ram_total_size": "1e30"})
    assert _import(tmp_path, "--model", "vit") == 0
    hosts = [read(path).host for path in sorted((tmp_path / "out").rglob("record.json"))]
    said = {(one.memory_gib, one.num_cpus, one.os, one.python) for one in hosts}
    assert said == {(251.5, 32, "Linux", "3.10"), (None, 32, "Linux", "3.10")}


def test_the_record_is_in_the_frame_as_the_log_would_be(tmp_path: Path) -> None:
    a_config(tmp_path / "logs")
    a_log(tmp_path / "logs", {"run_id": RUN_ID})
    [log] = load([tmp_path / "logs"]).frame.to_dict("records")
    assert _import(tmp_path) == 0
    [record] = load([tmp_path / "out"]).frame.to_dict("records")
    for name in (
        "model",
        "task",
        "kwh_per_sample",
        "energy_kwh",
        "batch_size",
        "device",
        "gpu_sensor",
        "phase",
        "num_samples",
        "emissions_kg_co2eq",
    ):
        assert record[name] == pytest.approx(log[name]), name


def test_runs_whose_ids_begin_alike_are_two_records(tmp_path: Path) -> None:
    a_log(tmp_path / "logs", {"run_id": RUN_ID}, {"run_id": RUN_ID[:-1] + "0"})
    assert _import(tmp_path / "logs", "--samples", "100", "--model", "vit") == 0
    assert len(list(tmp_path.rglob("record.json"))) == 2


def test_a_log_and_its_record_count_once(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"run_id": RUN_ID})
    assert _import(tmp_path) == 0
    loaded = load([tmp_path])
    assert len(loaded.frame) == 1
    assert len(loaded.copies) == 1
    left_out, counts = summary(loaded)
    assert left_out.startswith(f"left out {tmp_path}/emissions.csv: a copy of ")
    assert counts == "1 CodeCarbon logs: 0 used, 0 flagged, 1 left out"


def test_importing_twice_gives_one_record(tmp_path: Path) -> None:
    a_log(tmp_path / "logs", {})
    for _ in range(2):
        assert _import(tmp_path / "logs", "--samples", "100", "--model", "vit") == 0
    assert len(list(tmp_path.rglob("record.json"))) == 1


def test_a_file_may_be_named(tmp_path: Path) -> None:
    path = a_log(tmp_path, {}, name="energy.csv")
    out = tmp_path / "out"
    assert main(["import", str(path), "--model", "vit", "--samples", "5", "--out", str(out)]) == 0
    assert len(list(out.rglob("record.json"))) == 1


def test_an_aborted_run_among_others_gets_no_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"run_id": name, "duration": seconds, "timestamp": f"2025-03-0{day}T10:05:00"}
        for day, (name, seconds) in enumerate((("cut", "4"), ("one", "4600"), ("two", "4650")), 1)
    ]
    a_log(tmp_path / "logs", *lines)
    assert _import(tmp_path / "logs", "--samples", "10000", "--model", "vit") == 0
    printed = capsys.readouterr()
    assert "wrote 3 records" in (said := printed.out)
    assert "2 phases have a rate" in said
    assert "it took 4 s where its like took 4600 s" in printed.err
    assert "0 used, 1 flagged" in printed.err
    runs = gather([str(tmp_path / "logs" / "out")])
    [cut] = [run.phases[0] for run in runs if run.phases[0].kwh_per_sample is None]
    assert cut.num_samples == 0


def test_a_run_that_is_cut_off_is_not_all_samples_of_its_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"duration": "10", "energy_consumed": "0.02"}, {"duration": "100"}]
    a_log(tmp_path / "logs", *lines)  # the later total is less: of another run
    assert _import(tmp_path / "logs", "--samples", "10000", "--model", "vit") == 0
    said = capsys.readouterr().out
    assert "0 phases have a rate; the lines above say why" in said
    assert main(["export", str(tmp_path / "logs" / "out"), "--to", "huggingface"]) == 0
    card = capsys.readouterr().out
    assert "an unknown number of samples, not known to be a whole training" in card


def test_a_log_without_a_number_of_samples_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_log(tmp_path / "logs", {})
    assert _import(tmp_path / "logs", "--model", "vit") == 0
    said = capsys.readouterr().err
    assert "the samples of its train phase are not said: no rate is made" in said
    assert "0 used, 1 flagged" in said


def test_two_projects_of_one_file_are_two_models(tmp_path: Path) -> None:
    projects = [{"run_id": "a", "project_name": "resnet50"}, {"run_id": "b", "project_name": "vit"}]
    a_log(tmp_path / "logs", *projects)
    assert _import(tmp_path / "logs", "--samples", "10") == 0
    models = {read(path).model for path in tmp_path.rglob("record.json")}
    assert models == {"resnet50", "vit"}


def test_one_of_several_runs_may_be_chosen(tmp_path: Path) -> None:
    a_log(tmp_path / "logs", {"run_id": "cut"}, {"run_id": "full"})
    _import(tmp_path / "logs", "--samples", "10", "--model", "vit", "--run-id", "full")
    assert len(list(tmp_path.rglob("record.json"))) == 1


def test_a_record_without_batch_size_is_in_no_figure_of_batch_sizes(tmp_path: Path) -> None:
    a_log(tmp_path / "logs", {})
    assert _import(tmp_path / "logs", "--samples", "100", "--model", "vit") == 0
    frame = load([tmp_path / "logs" / "out"]).frame
    assert frame["batch_size"].isna().all()
    assert measured_runs(frame).empty


def test_a_log_of_version_1_keeps_its_total(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "emissions.csv").write_text(
        "timestamp,experiment_id,project_name,duration,emissions,energy_consumed,country_name\n"
        "2021-05-01T10:00:00,e-1,mine,60.0,0.001,0.01,France\n"
    )
    assert _import(tmp_path, "--samples", "100", "--model", "vit") == 0
    [row] = load([tmp_path / "out"]).frame.to_dict("records")
    assert row["energy_kwh"] == pytest.approx(0.01)
    assert "the log's total is shown as the CPU's" in row["flags"]
    assert row["gpu_sensor"] is None or row["gpu_sensor"] != row["gpu_sensor"]  # not known
    said = capsys.readouterr().err
    assert "whether a GPU was read is not known" in said
    assert "0 used, 1 flagged" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--samples", "0"], "--samples 0 is not above 0"),
        (["--task", "clasification"], "did you mean classification"),
        (["--run-id", "none"], "no run was imported"),
    ],
)
def test_what_cannot_be_done_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    a_log(tmp_path, {})
    assert _import(tmp_path, *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_folder_without_a_log_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _import(tmp_path) == 2
    assert "no CodeCarbon log" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["--model", "--data", "--precision"])
@pytest.mark.parametrize("value", ["", " ", "a\nb", "x" * 300])
def test_what_is_no_name_is_refused(
    name: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_log(tmp_path / "logs", {})
    assert _import(tmp_path, name, value) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name} ") and "is no name" in line


def test_a_long_name_of_a_log_is_cut_in_its_folder_alone(tmp_path: Path) -> None:
    a_log(tmp_path / "logs", {"project_name": "n" * 300})
    assert _import(tmp_path, "--samples", "10") == 0
    [path] = (tmp_path / "out").rglob("record.json")
    assert read(path).model == "n" * 300
