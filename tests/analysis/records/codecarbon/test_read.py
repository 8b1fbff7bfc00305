"""What the lines of a log mean: one run is one row, and each file says what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.named_folders import summary
from analysis.records.load import Loaded, load
from tests.analysis.records.codecarbon.logs import CONFIG, a_config, a_log


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [
        {
            str(name): None if not isinstance(value, tuple) and pd.isna(value) else value
            for name, value in row.items()
        }
        for row in load([folder]).frame.to_dict("records")
    ]


def _flags(loaded: Loaded) -> str:
    return "; ".join(flag for one in loaded.logs for flag in one.flags)


def test_of_the_lines_that_flush_writes_the_last_counts(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"energy_consumed": "0.002", "duration": "50"}, {})
    [row] = _rows(tmp_path)
    assert row["kwh_per_sample"] == pytest.approx(1e-6)


def test_lines_of_a_run_that_are_no_totals_have_no_rate(tmp_path: Path) -> None:
    a_config(tmp_path)
    stamps = (f"2025-03-01T10:{minute:02d}:00" for minute in range(3))
    a_log(tmp_path, *({"timestamp": stamp, "duration": "60"} for stamp in stamps))
    [row] = _rows(tmp_path)
    assert row["kwh_per_sample"] is None
    assert "each may be a part and no total up to then" in row["flags"]


def test_a_config_whose_time_does_not_fit_is_named(tmp_path: Path) -> None:
    a_config(tmp_path / "outputs" / "2024-03-01" / "10-00-00")
    a_log(tmp_path, {})
    [outcome] = load([tmp_path]).logs
    assert "none of 1 configs below it" in outcome.left_out[0]
    assert "2025-03-01T10:05:00" in outcome.left_out[0]


def test_a_task_has_a_row_of_its_own_and_loading_is_in_no_rate(tmp_path: Path) -> None:
    a_config(tmp_path, "model: resnet50\nnum_samples: 10000\nnum_test_samples: 1000\n")
    names = {"load dataset": "0.0002", "train on dataset a": "0.009", "evaluate": "0.0007"}
    a_log(tmp_path, *({"energy_consumed": k, "task_name": n} for n, k in names.items()))
    rows = {row["phase"]: row["kwh_per_sample"] for row in _rows(tmp_path)}
    assert rows == {"train": pytest.approx(9e-7), "test": pytest.approx(7e-7)}
    assert "'load dataset' (0.0002 kWh)" in _flags(load([tmp_path]))


def test_tasks_in_a_file_beside_their_total_are_not_counted_twice(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"pue": "1.5"})
    a_log(
        tmp_path,
        {"task_name": "train", "energy_consumed": "0.009", "pue": ""},
        name="emissions_base_run-1.csv",
    )
    [row] = _rows(tmp_path)
    assert row["energy_kwh"] == pytest.approx(0.009 / 1.5)  # its file has no PUE, its total has
    assert [one.num_rows for one in load([tmp_path]).logs] == [1, 1]


def test_a_wrong_pue_of_the_total_takes_the_rate_of_its_tasks_too(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"pue": "50"})
    task = {"task_name": "train", "energy_consumed": "0.009", "pue": ""}
    a_log(tmp_path, task, name="emissions_base_run-1.csv")
    [row] = load([tmp_path]).frame.to_dict("records")
    assert row["kwh_per_sample"] is None or row["kwh_per_sample"] != row["kwh_per_sample"]
    assert "pue 50 is no data centre's" in row["flags"]


def test_tasks_that_name_no_phase_give_no_rate(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"task_name": "part one"}, {"task_name": "part two"})
    [row] = _rows(tmp_path)
    assert (row["kwh_per_sample"], row["energy_kwh"]) == (None, pytest.approx(0.02))


def test_epochs_metered_as_tasks_add_up(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"task_name": "train_epoch_0"}, {"task_name": "train_epoch_1"})
    assert _rows(tmp_path)[0]["energy_kwh"] == pytest.approx(0.02)


def test_the_pue_is_divided_out(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"pue": "1.6"})
    [row] = _rows(tmp_path)
    assert row["energy_kwh"] == pytest.approx(0.01 / 1.6)
    assert row["gpu_kwh"] == pytest.approx(0.007 / 1.6)
    assert row["emissions_kg_co2eq"] == pytest.approx(0.0005 / 1.6)


@pytest.mark.parametrize("pue", ["0", "0.2", "50", "160"])
def test_a_pue_that_is_none_leaves_no_rate(tmp_path: Path, pue: str) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"pue": pue})
    [row] = _rows(tmp_path)
    assert (row["energy_kwh"], row["kwh_per_sample"]) == (0.01, None)
    assert f"pue {pue} is no data centre's" in row["flags"]


@pytest.mark.parametrize("said", ["0.0", "nan"])
def test_a_listed_gpu_that_was_not_read_is_flagged_and_has_no_rate(
    tmp_path: Path, said: str
) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"gpu_energy": said, "energy_consumed": "0.003"})
    [row] = _rows(tmp_path)
    assert (row["kwh_per_sample"], row["gpu_kwh"]) == (None, None)
    assert "a GPU is listed" in row["flags"]


def test_without_a_gpu_its_energy_is_absent_and_not_zero(tmp_path: Path) -> None:
    a_config(tmp_path)
    none = {"gpu_count": "", "gpu_model": "", "gpu_energy": "0.0", "energy_consumed": "0.003"}
    a_log(tmp_path, none)
    [row] = _rows(tmp_path)
    assert (row["gpu_kwh"], row["setup"].found.device) == (None, None)
    assert row["kwh_per_sample"] == pytest.approx(3e-7)


def test_process_mode_and_machine_mode_are_two_set_ups(tmp_path: Path) -> None:
    for mode in ("machine", "process"):
        a_config(tmp_path / mode)
        a_log(tmp_path / mode, {"tracking_mode": mode, "run_id": mode})
    assert len({row["variant"] for row in _rows(tmp_path)}) == 2


def test_two_configs_are_never_one_line(tmp_path: Path) -> None:
    for name, size in (("a", 224), ("b", 384)):
        a_config(tmp_path / name, f"model: vit\nimg_size: {size}\nnum_samples: 100\n")
        a_log(tmp_path / name, {"run_id": name})
    assert len({row["variant"] for row in _rows(tmp_path)}) == 2


def test_a_seed_and_a_folder_are_no_difference(tmp_path: Path) -> None:
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        a_config(folder, f"model: vit\nseed: {seed}\noutput_dir: {folder}\n")
        a_log(folder, {"run_id": str(seed)})
    assert len({row["variant"] for row in _rows(tmp_path)}) == 1


def test_several_runs_of_one_config_have_no_rate(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"run_id": "aborted", "duration": "4"}, {"run_id": "full"})
    rows = _rows(tmp_path)
    assert [row["kwh_per_sample"] for row in rows] == [None, None]
    assert "2 runs and one config" in rows[0]["flags"]


@pytest.mark.parametrize(
    ("folder", "name"), [("", "emissions_{}.csv"), ("{}", "emissions.csv")], ids=["file", "folder"]
)
def test_runs_that_are_named_after_their_phase_are_told_apart(
    tmp_path: Path, folder: str, name: str
) -> None:
    a_config(tmp_path)
    for phase, kwh in (("train", "0.01"), ("test", "0.001")):
        line = {"run_id": phase, "energy_consumed": kwh}
        a_log(tmp_path / folder.format(phase), line, name=name.format(phase))
    rows = {row["phase"]: row["kwh_per_sample"] for row in _rows(tmp_path)}
    assert rows == {"train": pytest.approx(1e-6), "test": None}


def _ranks(folder: Path, num: int, **differs: str) -> None:
    a_config(folder)
    for rank in range(num):
        a_log(folder, {"run_id": f"r{rank}"} | differs, name=f"emissions_{rank}.csv")


def test_rank_files_are_added(tmp_path: Path) -> None:
    _ranks(tmp_path, 2, tracking_mode="process")
    [row] = _rows(tmp_path)
    assert row["energy_kwh"] == pytest.approx(0.02) and row["setup"].found.num_devices == 2
    assert row["kwh_per_sample"] == pytest.approx(2e-6)
    assert [one.verdict for one in load([tmp_path]).logs] == ["flagged", "flagged"]


def test_a_missing_rank_leaves_no_rate(tmp_path: Path) -> None:
    _ranks(tmp_path, 3)
    (tmp_path / "emissions_1.csv").unlink()
    [row] = _rows(tmp_path)
    assert row["kwh_per_sample"] is None
    assert "rank 1 is missing" in row["flags"]


@pytest.mark.parametrize("mode", ["machine", "process"])  # GPUs are read whole in both
def test_ranks_that_each_read_all_gpus_are_not_added(tmp_path: Path, mode: str) -> None:
    _ranks(tmp_path, 2, gpu_count="2", gpu_model="2 x NVIDIA A100", tracking_mode=mode)
    [row] = _rows(tmp_path)
    assert (row["energy_kwh"], row["kwh_per_sample"]) == (0.01, None)
    assert "may hold the whole machine" in row["flags"]


def test_numbered_files_of_runs_one_after_the_other_are_no_ranks(tmp_path: Path) -> None:
    a_config(tmp_path)
    for fold in range(2):
        when = {"run_id": f"f{fold}", "timestamp": f"2025-03-01T1{fold}:00:00"}
        a_log(tmp_path, when, name=f"emissions_{fold}.csv")
    assert len(_rows(tmp_path)) == 2


def test_gpus_of_others_are_told(tmp_path: Path) -> None:
    a_config(tmp_path, f"{CONFIG}trainer:\n  devices: 1\n")
    a_log(tmp_path, {"gpu_count": "8", "gpu_model": "8 x NVIDIA A100"})
    [row] = _rows(tmp_path)
    assert "the config has 1 devices, and the log lists 8: what the others used" in row["flags"]


def test_values_that_are_not_under_their_columns_are_named(tmp_path: Path) -> None:
    a_config(tmp_path)
    a_log(tmp_path, {"tracking_mode": "62.7"})
    assert (
        "tracking_mode: '62.7' is neither machine nor process"
        in load([tmp_path]).problems[0].reason
    )


def test_what_todays_codecarbon_writes_is_read(tmp_path: Path) -> None:
    from codecarbon import OfflineEmissionsTracker

    a_config(tmp_path)
    tracker = OfflineEmissionsTracker(
        country_iso_code="FRA",
        output_dir=str(tmp_path),
        log_level="critical",
        pue=1.25,
        tracking_mode="process",
        allow_multiple_runs=True,
        save_to_api=False,
    )
    tracker.start()
    tracker.flush()
    tracker.flush()
    tracker.stop()
    [row] = _rows(tmp_path)
    assert row["energy_kwh"] == pytest.approx(tracker.final_emissions_data.energy_consumed / 1.25)
    assert row["variant"].endswith("process mode")


def test_a_log_without_a_config_is_named_with_the_cure(tmp_path: Path) -> None:
    a_log(tmp_path, {})
    loaded = load([tmp_path])
    assert loaded.frame.empty
    assert [one.verdict for one in loaded.logs] == ["left out"]
    assert "python -m analysis import" in loaded.problems[0].reason


def test_a_log_of_version_1_has_no_run_id_and_is_read(tmp_path: Path) -> None:
    a_config(tmp_path)
    (tmp_path / "emissions.csv").write_text(
        "timestamp,experiment_id,project_name,duration,emissions,energy_consumed,country_name\n"
        "2021-05-01T10:00:00,e-1,mine,60.0,0.001,0.01,France\n"
    )
    [row] = _rows(tmp_path)
    assert (row["identity"], row["kwh_per_sample"]) == ("e-1", pytest.approx(1e-6))


def test_a_task_that_no_table_has_is_named(tmp_path: Path) -> None:
    a_config(tmp_path, "model: yolo\ntask: detection\nnum_samples: 10\n")
    a_log(tmp_path, {})
    loaded = load([tmp_path])
    assert loaded.frame.empty
    assert "task 'detection'" in loaded.problems[0].reason


def test_the_summary_says_what_became_of_each_file(tmp_path: Path) -> None:
    a_config(tmp_path / "good")
    a_log(tmp_path / "good", {})
    a_log(tmp_path / "lone", {"run_id": "other"})
    lines = list(summary(load([tmp_path])))
    assert lines[0].startswith(f"left out {tmp_path / 'lone' / 'emissions.csv'}: no .hydra")
    assert lines[-1] == "2 CodeCarbon logs: 1 used, 0 flagged, 1 left out"


def test_of_a_file_that_is_used_no_line_says_left_out(tmp_path: Path) -> None:
    a_config(tmp_path / "part")
    a_log(tmp_path / "part", {}, {"duration": "-1", "run_id": "other"})
    a_config(tmp_path / "none")
    a_log(tmp_path / "none", {"duration": "-1"})
    left_out, flagged, counts = summary(load([tmp_path]))
    assert left_out.startswith(f"left out {tmp_path}/none/emissions.csv: line 2: duration")
    assert flagged.startswith(f"flagged {tmp_path}/part/emissions.csv: not used of it: line 3")
    assert counts == "2 CodeCarbon logs: 0 used, 1 flagged, 1 left out"
