from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.figures.gather import _curve
from analysis.records import load as loading
from analysis.records.load import UNFORESEEN, load
from metering.record import Energy, Interval
from metering.record_file import from_json, to_json
from tests.analysis.sample_records import a_failure, a_phase, a_record, put


def test_one_row_per_record_and_phase(tmp_path: Path):
    put(tmp_path, a_record(), a_record(model="resnet18", paper_row="ResNet18"))
    frame = load([tmp_path]).frame
    assert sorted(zip(frame["model"], frame["phase"], strict=True)) == [
        ("resnet18", "test"),
        ("resnet18", "train"),
        ("swin_t", "test"),
        ("swin_t", "train"),
    ]


def test_the_rate_its_interval_and_the_sums_are_the_records(tmp_path: Path):
    put(tmp_path, a_record())
    train = load([tmp_path]).frame.set_index("phase").loc["train"]
    assert train["kwh_per_sample"] == 1e-6
    assert train["kwh_half_width"] == 2e-8
    assert train["num_samples"] == 3200
    assert train["energy_kwh"] == pytest.approx(3200e-6)
    assert train["gpu_kwh"] == pytest.approx(0.8 * 3200e-6)


def test_emissions_are_the_phases_own_and_absent_where_it_has_none(tmp_path: Path):
    put(
        tmp_path,
        a_record(
            phases={"train": a_phase(emissions_kg_co2eq=7.5e-4), "test": a_phase("test", 2.5e-7)}
        ),
    )
    frame = load([tmp_path]).frame.set_index("phase")
    assert frame.loc["train", "emissions_kg_co2eq"] == 7.5e-4
    assert pd.isna(frame.loc["test", "emissions_kg_co2eq"])


def test_warm_up_and_dropped_blocks_do_not_count(tmp_path: Path):
    data = json.loads(to_json(a_record()))
    data["phases"]["train"]["readings"][0]["use"] = "warm-up"
    data["phases"]["train"]["readings"][1]["use"] = "dropped"
    for rate in ("energy_kwh_per_sample", "duration_s_per_sample"):
        data["phases"]["train"][rate]["num_blocks"] = 8
    put(tmp_path, from_json(json.dumps(data)))
    train = load([tmp_path]).frame.set_index("phase").loc["train"]
    assert train["num_samples"] == 8 * 320


def test_an_absent_sensor_stays_absent(tmp_path: Path):
    data = json.loads(to_json(a_record(phases={"train": a_phase()})))
    data["phases"]["train"]["energy_kwh_per_sample"]["mean"] *= 0.2
    for block in data["phases"]["train"]["readings"]:
        block["energy"]["gpu_kwh"] = None
    put(tmp_path, from_json(json.dumps(data)))
    train = load([tmp_path]).frame.set_index("phase").loc["train"]
    assert train["gpu_kwh"] != train["gpu_kwh"]  # NaN, not 0


def test_a_time_of_any_year_ends_no_command(tmp_path: Path):
    years = ("0001", "2024", "2999", "9999")
    put(tmp_path, *(a_record(started_at=f"{year}-01-01T00:00:00+00:00") for year in years))
    frame = load([tmp_path]).frame.drop_duplicates("run_id").sort_values("started_s")
    assert [text[:4] for text in frame["started_at"]] == list(years)


def test_a_failed_run_is_a_row_without_a_phase(tmp_path: Path):
    put(tmp_path, a_failure())
    row = load([tmp_path]).frame.iloc[0]
    assert row["status"] == "failed"
    assert row["failure"] == "OutOfMemory: batch_size=32 does not fit"


def test_synthetic_data_stand_in_for_the_set_of_the_recipe(tmp_path: Path):
    put(tmp_path, a_record())
    assert set(load([tmp_path]).frame["dataset"]) == {"ImageNet-1k"}


def _edited(**changes: object) -> str:
    return json.dumps(json.loads(to_json(a_record())) | changes)


def _with_train(**changes: object) -> str:
    data = json.loads(to_json(a_record()))
    data["phases"]["train"] |= changes
    return json.dumps(data)


def _with_asked(**changes: object) -> str:
    data = json.loads(to_json(a_record()))
    data["setup"]["asked"] |= changes
    return json.dumps(data)


def _with_config(group: str, **values: object) -> str:
    data = json.loads(to_json(a_record()))
    data["config"][group] |= values
    return json.dumps(data)


def _with_energy(more: str) -> str:
    return to_json(a_record()).replace('"gpu_kwh"', f'{more}, "gpu_kwh"', 1)


NEGATIVE = [
    {"num_samples": 1, "duration_s": 1.0, "energy": {"gpu_kwh": kwh}} for kwh in (5.0, -1.0)
]
HALF = [{"num_samples": 0.5, "duration_s": 1.0, "energy": {"gpu_kwh": 1.0}}]
RATE = {"mean": 1e-6, "half_width": 1e-8}
PACE = {"mean": 1 / 320, "half_width": 1e-5}
FOREVER = {"name": "train", "num_samples": 10**400, "num_epochs": 300}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (to_json(a_record())[:300], "not JSON"),
        ("[1, 2]", "not a record"),
        ('{"accuracy": 1}', "not a record"),
        ("[" * 100_000, "not JSON"),
        (_edited(schema_version=99), "schema_version 99 is newer"),
        (_edited(schema_version=0), "schema_version 0 is unknown"),
        (_with_asked(model=None), "setup.asked.model: "),
        (_with_train(energy_kwh_per_sample={"mean": 0, "half_width": 0}), "not above 0"),
        (_with_train(energy_kwh_per_sample={"mean": -1, "half_width": 0}), "greater than or equal"),
        (_with_train(quality={"top1_pct": 101.0}), "top1_pct: 101.0 is not in 0..100"),
        (_with_train(energy_kwh_per_sample=RATE | {"mean": 5e-324}), "less than any network"),
        (_with_train(energy_kwh_per_sample=RATE | {"confidence": -7}), "confidence: "),
        (
            _with_train(energy_kwh_per_sample=RATE | {"confidence": 1e-9}),
            "confidence: 1e-09 is not",
        ),
        (_with_train(batch_size=-3), "phases.train.batch_size: "),
        (_with_train(phase="test"), "phases.train.phase: it says test"),
        (_with_train(readings=[3]), "not readings"),
        (_with_train(energy_kwh_per_sample=RATE | {"mean": 2e-6}), "its readings give 1e-06"),
        (_with_train(duration_s_per_sample=PACE | {"mean": 1 / 640}), "readings give 0.003125"),
        (_with_train(duration_s_per_sample=PACE | {"num_blocks": 9}), "9, but 10 blocks were"),
        (_with_train(readings=HALF), "num_samples is no whole number"),
        (_with_train(readings=[]), "no reading that it could come from"),
        (_with_train(readings=NEGATIVE), "not a number >= 0"),
        (_with_asked(batch_size=-3), "setup.asked.batch_size: "),
        (_edited(config={"meter": "adaptive"}), "config.meter: 'adaptive' is not a group"),
        (_edited(host={"gpus": [{"name": ["A100"]}]}), "host.gpus.0.name: "),
        (_edited(recipe=[FOREVER]), "recipe.0: a number of 1329 bits"),
        (_with_config("meter", name={}), "config.meter.name: "),
        (_with_asked(num_devices=-4), "setup.asked.num_devices: "),
        (_with_asked(data={"name": "synthetic", "fraction": 2}), "setup.asked.data.fraction: "),
        (_edited(run_id="x"), "run_id: "),
        (to_json(a_record()).replace('"task": "', '"task": "x", "task": "'), "'task' stands twice"),
        (_with_energy('"gpu_kwh": 1'), "'gpu_kwh' stands twice"),
    ],
)
def test_a_bad_file_is_named_and_nothing_else_is_lost(tmp_path: Path, text: str, words: str):
    put(tmp_path, a_record())
    bad = tmp_path / "bad" / "record.json"
    bad.parent.mkdir()
    bad.write_text(text)
    loaded = load([tmp_path])
    assert len(loaded.frame) == 2
    [problem] = loaded.problems
    assert problem.path == str(bad)
    assert words in problem.reason
    assert "\n" not in problem.reason


def test_an_error_that_no_check_foresaw_is_reported_with_its_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def rows_of(text: bytes, path: str) -> None:
        raise ZeroDivisionError("float\ndivision")

    put(tmp_path, a_record())
    monkeypatch.setattr(loading, "rows_of", rows_of)
    [problem] = load([tmp_path]).problems
    assert problem.path == str(tmp_path / "swin_t-0" / "record.json")
    assert problem.reason == f"{UNFORESEEN}ZeroDivisionError: float division"


def test_colons_and_quotes_within_texts_are_no_repeated_keys(tmp_path: Path):
    put(tmp_path, a_record(notes=('a "quoted": note, at 12:00', 'said "x":1'), phases={}))
    text = (tmp_path / "swin_t-0" / "record.json").read_text()
    (tmp_path / "swin_t-0" / "record.json").write_text(text.replace("12:00", "12\\u003a00"))
    loaded = load([tmp_path])
    assert not loaded.problems
    assert loaded.frame["notes"].tolist() == ['a "quoted": note, at 12:00; said "x":1']


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Root may read every folder, so the refusal is made here."""
    put(tmp_path, a_record(), a_record())
    closed, scandir = str(tmp_path / "swin_t-1"), os.scandir

    def refuse(path: str) -> object:
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    loaded = load([tmp_path, tmp_path / "missing"])
    assert len(loaded.frame) == 2
    [problem] = loaded.problems
    assert str(problem) == f"{closed}: cannot be read: Permission denied"


def test_a_record_in_two_folders_counts_once_and_two_repetitions_count_twice(tmp_path: Path):
    record = a_record()
    put(tmp_path / "runs", record, a_record())
    put(tmp_path / "bundle", record)
    frame = load([tmp_path / "runs", tmp_path / "bundle"]).frame
    assert len(frame) == 2 * 2
    assert frame["run_id"].nunique() == 2


def test_a_record_that_has_anothers_run_id_and_other_numbers_is_no_copy(tmp_path: Path):
    record = a_record()
    put(tmp_path / "a", record)
    put(tmp_path / "b", replace(record, phases={"train": a_phase(kwh_per_sample=5e-7)}))
    [copy] = load([tmp_path]).copies
    assert "other numbers: one of the two was changed" in copy.reason


def test_an_earlier_attempt_that_was_put_aside_is_not_a_result(tmp_path: Path):
    put(tmp_path, a_record())
    aside = tmp_path / "swin_t-0" / "attempts"
    aside.mkdir()
    (aside / "20240101T000000.json").write_text(to_json(a_failure()))
    assert len(load([tmp_path]).frame) == 2


def test_many_records_in_several_processes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put(tmp_path, *(a_record(model=f"m{i}", phases={"train": a_phase()}) for i in range(30)))
    alone = load([tmp_path]).frame
    monkeypatch.setattr("analysis.records.load.PARALLEL_FROM", 10)
    assert load([tmp_path]).frame["model"].tolist() == alone["model"].tolist()


def test_where_there_is_a_counter_of_our_own_its_reading_counts(tmp_path: Path):
    phase = a_phase(energy_kwh_per_sample=Interval(1e-3 / 320 + 0.2e-6, 1e-8, num_blocks=10))
    blocks = tuple(replace(block, own=Energy(gpu_kwh=1e-3)) for block in phase.readings)
    put(tmp_path, a_record(phases={"train": replace(phase, readings=blocks)}))
    [row] = load([tmp_path]).frame.to_dict("records")
    assert row["gpu_kwh"] == pytest.approx(10 * 1e-3)
    assert row["cpu_kwh"] == pytest.approx(10 * 0.1 * 320 * 1e-6)
    assert row["energy_kwh"] == pytest.approx(row["gpu_kwh"] + row["cpu_kwh"] + row["ram_kwh"])
    samples, kwh = curve_of(tmp_path)
    assert kwh[-1] == pytest.approx(row["energy_kwh"])
    assert samples[-1] == 3200


def curve_of(folder: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Samples and kWh up to the end of each block, as Figure 7 draws them."""
    [path] = folder.rglob("record.json")
    curve = _curve(str(path))
    assert curve is not None
    return curve
