from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.load import load
from tests.analysis.sample_records import a_record, put

EMISSIONS = (
    "timestamp,project_name,run_id,duration,emissions,energy_consumed,cpu_energy,gpu_energy,"
    "ram_energy,gpu_model,gpu_count\n"
    "2024-01-01T00:00:00,mine,abc,100.0,0.05,{kwh},0.02,0.2,0.03,NVIDIA A100,1\n"
)


def _codecarbon(folder: Path, config: str, kwh: str = "0.25") -> None:
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "config.yaml").write_text(config)
    (folder / "emissions.csv").write_text(EMISSIONS.format(kwh=kwh))


def test_a_plain_codecarbon_run_beside_a_hydra_config_is_read(tmp_path: Path):
    _codecarbon(tmp_path / "run", "model: {name: vit_b}\nbatch_size: 64\nnum_samples: 1000\n")
    [row] = load([tmp_path]).frame.to_dict("records")
    assert (row["kind"], row["model"], row["batch_size"]) == ("codecarbon", "vit_b", 64)
    assert row["kwh_per_sample"] == pytest.approx(2.5e-4)
    assert row["gpu_kwh"] == 0.2


def test_a_codecarbon_run_without_a_sample_count_has_no_rate(tmp_path: Path):
    _codecarbon(tmp_path / "run", "model: vit_b\n")
    [row] = load([tmp_path]).frame.to_dict("records")
    assert row["energy_kwh"] == 0.25
    assert row["kwh_per_sample"] is None or row["kwh_per_sample"] != row["kwh_per_sample"]


@pytest.mark.parametrize("kwh", ["0", "-1", "x", "5e-324", "1e400"])
def test_a_codecarbon_run_that_read_nothing_is_named(tmp_path: Path, kwh: str):
    _codecarbon(tmp_path / "run", "model: vit_b\nnum_images: 1000\n", kwh)
    loaded = load([tmp_path])
    assert loaded.frame.empty
    assert f"line 2: energy_consumed: '{kwh}' is not a number from" in loaded.problems[0].reason


def test_less_energy_a_sample_than_any_network_takes_is_named(tmp_path: Path):
    _codecarbon(tmp_path / "run", f"num_images: {10**18}\n", "1e-9")
    [problem] = load([tmp_path]).problems
    assert "too little for 1000000000000000000 samples" in problem.reason


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        (",100.0,", ",-5,", "duration: '-5' is not a number from 0"),
        (",0.2,", ",-0.2,", "gpu_energy: '-0.2'"),
        (",1\n", ",-1\n", "gpu_count: '-1'"),
        (",1\n", ",1.5\n", "gpu_count: 1.5 is not a whole number"),
        (",1\n", "\n", "10 values for 11 columns"),
        ("mine", '"mine', "not a CSV file: unexpected end of data"),
    ],
)
def test_a_bad_line_is_named_and_the_good_ones_are_kept(
    tmp_path: Path, good: str, bad: str, words: str
):
    _codecarbon(tmp_path / "run", "model: vit_b\n")
    header, line = EMISSIONS.format(kwh="0.25").splitlines(keepends=True)
    text = header + line.replace("abc", "first").replace(good, bad) + line
    path = tmp_path / "run" / "emissions.csv"
    path.write_text(text)
    loaded = load([tmp_path])
    assert loaded.frame["energy_kwh"].tolist() == [0.25]
    [problem] = loaded.problems
    assert str(problem).startswith(f"{path}: line 2: ")
    assert words in problem.reason


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path):
    _codecarbon(tmp_path / "run", "model: vit_b\n")
    path = tmp_path / "run" / "emissions.csv"
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert load([tmp_path]).frame["started_at"].tolist() == ["2024-01-01T00:00:00"]


@pytest.mark.parametrize(
    "value",
    ["2024-99-99", "0b_", "!!int x", "!!bool x", "!!timestamp x", "auto", "${model.size}", "[1]"],
)
def test_what_is_no_number_is_not_taken_for_one(tmp_path: Path, value: str):
    _codecarbon(tmp_path / "run", f"model: vit_b\nbatch_size: {value}\n")
    loaded = load([tmp_path])
    assert not loaded.problems
    assert loaded.frame["batch_size"].isna().all()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("batch_size: -3", "batch_size: '-3' is not a whole number"),
        (f"batch_size: {10**400}", "batch_size: "),
        (f"num_images: {10**400}", "num_images: "),
        (f"num_images: {'9' * 5_000}", "num_images: "),
        ("num_images: .inf", "num_images: '.inf'"),
        ("model: " + "[" * 5_000 + "]" * 5_000, "is not YAML: maximum recursion depth"),
        ('model: "\\UFFFFFFFF"', "is not YAML: "),
        ('model: "\\ud800"', "is not text"),
        ("model: a\nmodel: b", "a key stands twice"),
    ],
)
def test_a_config_that_cannot_be_meant_is_named(tmp_path: Path, config: str, words: str):
    _codecarbon(tmp_path / "bad", config)
    _codecarbon(tmp_path / "good", "model: vit_b\n")
    loaded = load([tmp_path])
    assert loaded.frame["model"].tolist() == ["vit_b"]
    [problem] = loaded.problems
    assert problem.path == str(tmp_path / "bad" / "emissions.csv")
    assert words in problem.reason
    assert ".hydra/config.yaml" in problem.reason


def test_the_suites_own_emissions_file_is_not_read_twice(tmp_path: Path):
    put(tmp_path, a_record())
    _codecarbon(tmp_path / "swin_t-0", "model: swin_t\n")
    assert set(load([tmp_path]).frame["kind"]) == {"record"}
