"""Logs in the working folder, configs under `outputs/` and `multirun/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.load import load
from tests.analysis.records.codecarbon.logs import a_config, a_log


def _models(folder: Path) -> dict[str, str]:
    frame = load([folder]).frame
    return dict(zip(frame["identity"], frame["model"].astype(str), strict=True))


def test_the_one_config_below_a_log_is_its_own(tmp_path: Path) -> None:
    a_config(tmp_path / "outputs" / "2025-03-01" / "10-03-00")
    a_log(tmp_path, {})
    assert _models(tmp_path) == {"run-1": "resnet50"}
    assert "matched by time with outputs" not in str(load([tmp_path]).problems)


def test_each_run_belongs_to_the_job_that_began_before_it(tmp_path: Path) -> None:
    for clock, model in (("10-00-00", "vit"), ("11-00-00", "swin"), ("12-00-00", "failed")):
        a_config(tmp_path / "outputs" / "2025-03-01" / clock, f"model: {model}\n")
    a_log(
        tmp_path,
        {"run_id": "b", "timestamp": "2025-03-01T11:30:00", "duration": "1700"},
        {"run_id": "a", "timestamp": "2025-03-01T10:30:00", "duration": "1700"},
    )
    assert _models(tmp_path) == {"a": "vit", "b": "swin"}


def test_jobs_of_a_sweep_are_matched_in_their_order(tmp_path: Path) -> None:
    jobs = [str(number) for number in range(11)]
    for job in jobs:
        a_config(tmp_path / "multirun" / "2025-03-01" / "10-00-00" / job, f"model: m{job}\n")
    stamps = {job: f"2025-03-01T10:{int(job) + 1:02d}:00" for job in jobs}
    lines = [{"run_id": job, "duration": "50", "timestamp": stamps[job]} for job in jobs]
    a_log(tmp_path, *lines)
    assert _models(tmp_path) == {job: f"m{job}" for job in jobs}


def test_a_config_that_is_younger_than_the_run_is_not_its_own(tmp_path: Path) -> None:
    a_config(tmp_path / "outputs" / "2025-03-02" / "10-00-00")
    a_log(tmp_path, {})
    assert load([tmp_path]).frame.empty


def test_a_config_above_a_log_is_its_own(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path / "codecarbon", {})
    assert _models(tmp_path) == {"run-1": "resnet50"}


def test_a_log_in_a_folder_of_its_own_finds_the_outputs_beside_it(tmp_path: Path) -> None:
    a_config(tmp_path / "outputs" / "2025-03-01" / "10-03-00")
    a_log(tmp_path / "logs", {}, name="train_energy.csv")
    assert _models(tmp_path) == {"run-1": "resnet50"}


def test_the_outputs_of_another_project_are_not_its_own(tmp_path: Path) -> None:
    a_log(tmp_path / "one" / "logs", {})
    a_config(tmp_path / "other" / "outputs" / "2025-03-01" / "10-00-00")
    assert load([tmp_path]).frame.empty


def test_a_wrong_config_is_named_by_its_place(tmp_path: Path) -> None:
    a_log(tmp_path, {})
    jobs = tmp_path / "outputs" / "2025-03-01" / "10-03-00"
    a_config(jobs, "model: vit\nnum_samples: -3\n")
    [problem] = load([tmp_path]).problems
    place = "outputs/2025-03-01/10-03-00/.hydra/config.yaml"
    assert problem.reason == f"{place}: num_samples: '-3' is not a whole number above 0"
    a_config(jobs, "model: vit\nnum_samples: 3\nmodel: swin\n")
    [problem] = load([tmp_path]).problems
    assert problem.reason == f"{place}: a key stands twice: model, in the group at line 1"


def test_jobs_in_folders_named_after_overrides_are_matched_by_their_number(tmp_path: Path) -> None:
    for number, model in enumerate(("vit", "resnet")):
        folder = tmp_path / "multirun" / "2025-03-01" / "10-00-00" / f"model={model}"
        a_config(folder, f"model: {model}\n")
        a_config(folder, f"hydra:\n  job:\n    num: {number}\n", name="hydra.yaml")
    a_log(
        tmp_path,
        {"run_id": "first", "timestamp": "2025-03-01T10:10:00"},
        {"run_id": "second", "timestamp": "2025-03-01T10:20:00"},
    )
    assert _models(tmp_path) == {"first": "vit", "second": "resnet"}


@pytest.mark.parametrize("stamp", ["01/03/2025 11:20", "2025-03-01T11:20:00+00:00", ""])
def test_a_time_of_another_clock_chooses_among_no_configs(tmp_path: Path, stamp: str) -> None:
    for clock, model in (("10-00-00", "vit"), ("11-00-00", "swin")):
        a_config(tmp_path / "outputs" / "2025-03-01" / clock, f"model: {model}\n")
    a_log(
        tmp_path,
        {"run_id": "later", "timestamp": stamp},
        {"run_id": "first", "timestamp": "2025-03-01T10:20:00"},
    )
    assert _models(tmp_path) == {"first": "vit"}


@pytest.mark.parametrize("folders", [("0", "1"), ("model=vit", "model=swin")])
def test_jobs_that_ran_at_once_or_in_unknown_order_are_not_matched(
    tmp_path: Path, folders: tuple[str, str]
) -> None:
    for folder in folders:
        a_config(tmp_path / "multirun" / "2025-03-01" / "10-00-00" / folder, f"model: {folder}\n")
    a_log(
        tmp_path,
        {"run_id": "short", "timestamp": "2025-03-01T10:20:00", "duration": "1100"},
        {"run_id": "long", "timestamp": "2025-03-01T10:40:00", "duration": "2300"},
    )
    assert _models(tmp_path) == {}
