"""Files of the processes of one run: added where all are there and ran at one time."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.codecarbon.find import LogFile
from analysis.records.codecarbon.importing import Given, Imported, import_logs
from analysis.records.codecarbon.ranks import home_of, rank_of
from analysis.records.load import find_logs, load
from tests.analysis.records.codecarbon.logs import CONFIG, a_config, a_log

PROCESS = {"tracking_mode": "process"}


@pytest.mark.parametrize(
    ("path", "rank"),
    [
        ("emissions_3.csv", 3),
        ("emissions-rank3.csv", 3),
        ("emissions_gpu_0.csv", 0),
        ("rank_2/emissions.csv", 2),
        ("node1/emissions.csv", 1),
        ("emissions.csv", None),
        ("emissions_seed_3.csv", None),
        ("emissions_fold3.csv", None),
        ("emissions_resnet50.csv", None),
        ("emissions_2025-03-01.csv", None),
        ("multirun/3/emissions.csv", None),
        ("emissions_base_0123abcd-0000-4000-8000-000000001234.csv", None),
    ],
)
def test_a_rank_is_told_from_other_numbers(path: str, rank: int | None) -> None:
    assert rank_of(path) == rank


def test_the_folder_of_a_rank_is_no_run_of_its_own() -> None:
    assert home_of(Path("a/rank_1/emissions.csv")) == Path("a")
    assert home_of(Path("a/3/emissions.csv")) == Path("a/3")


def _imported(folder: Path, **given: object) -> Imported:
    said = Given(model="vit", num_samples=10_000, **given)  # type: ignore[arg-type]
    return import_logs(find_logs([folder]), said)


def _rates(made: Imported) -> list[float | None]:
    rates = [one.phases["train"].energy_kwh_per_sample for one in made.records]
    return [None if rate is None else rate.mean for rate in rates]


def _flags(made: Imported) -> str:
    return "; ".join(flag for one in made.outcomes for flag in one.flags)


def _put(folder: Path, *ranks: int, hour: int = 10) -> None:
    for rank in ranks:
        line = PROCESS | {"run_id": f"r{rank}-{hour}", "timestamp": f"2025-03-01T{hour}:00:00"}
        a_log(folder, line, name=f"emissions_{rank}.csv")


@pytest.mark.parametrize(
    ("ranks", "words"),
    [
        ((1, 2), "rank 0 is missing, unless ranks are counted from 1"),
        ((0, 2), "rank 1 is missing"),
        ((2,), "rank 0 to 1 is missing"),
    ],
)
def test_a_missing_rank_leaves_no_rate_though_samples_are_given(
    tmp_path: Path, ranks: tuple[int, ...], words: str
) -> None:
    _put(tmp_path, *ranks)
    made = _imported(tmp_path)
    assert _rates(made) == [None]
    assert words in _flags(made)


def test_ranks_that_did_not_run_together_are_no_whole_runs(tmp_path: Path) -> None:
    _put(tmp_path, 0)
    _put(tmp_path, 1, hour=11)
    made = _imported(tmp_path)
    assert _rates(made) == [None, None]
    assert "did not run at the same time" in _flags(made)
    assert _rates(_imported(tmp_path, run_ids=("r1-11",))) == [pytest.approx(1e-6)]


def test_a_rank_that_ended_early_leaves_no_rate(tmp_path: Path) -> None:
    a_log(tmp_path, PROCESS | {"run_id": "a"}, name="emissions_0.csv")
    a_log(tmp_path, PROCESS | {"run_id": "b", "duration": "20"}, name="emissions_1.csv")
    made = _imported(tmp_path)
    assert _rates(made) == [None]
    assert "its ranks ran 20 to 100 s" in _flags(made)


def test_jobs_on_several_kinds_of_machines_that_share_a_file_keep_their_rates(
    tmp_path: Path,
) -> None:
    """As of a SLURM array: ranks of one run would have one kind of processor and GPU."""
    jobs = [{"run_id": name, "cpu_model": name, "duration": f"9{name}"} for name in ("1", "2")]
    a_log(tmp_path, *jobs)
    assert _rates(_imported(tmp_path)) == [pytest.approx(1e-6)] * 2
    a_log(tmp_path, *(job | {"cpu_model": "one"} for job in jobs))
    assert _rates(_imported(tmp_path)) == [None, None]


def test_two_runs_whose_ranks_appended_to_one_file_each_are_two_runs(tmp_path: Path) -> None:
    for rank in range(2):
        lines = [
            PROCESS | {"run_id": f"r{rank}-{hour}", "timestamp": f"2025-03-01T{hour}:00:00"}
            for hour in (10, 12)
        ]
        a_log(tmp_path, *lines, name=f"emissions_{rank}.csv")
    assert _rates(_imported(tmp_path)) == [pytest.approx(2e-6)] * 2
    a_config(tmp_path)
    assert load([tmp_path]).frame["kwh_per_sample"].isna().all()  # one config, two runs


def test_ranks_of_two_folders_without_a_config_are_two_runs(tmp_path: Path) -> None:
    for name, hour in (("a", 10), ("b", 12)):
        _put(tmp_path / name, 0, 1, hour=hour)
    assert _rates(_imported(tmp_path)) == [pytest.approx(2e-6)] * 2


@pytest.mark.parametrize(
    ("ranks", "config", "words"),
    [
        ((0, 1), "world_size: 4", "the config has 4 processes, and 2 have a file"),
        ((0,), "trainer: {devices: 4}", "the config has 4 devices, and the log lists 1"),
        ((0, 1), "trainer: {devices: 2}", ""),
        ((1, 2), "trainer: {devices: 2}", ""),  # counted from 1
    ],
)
def test_the_config_tells_how_many_there_were(
    tmp_path: Path, ranks: tuple[int, ...], config: str, words: str
) -> None:
    a_config(tmp_path, f"{CONFIG}{config}\n")
    _put(tmp_path, *ranks)
    loaded = load([tmp_path])
    assert loaded.frame["kwh_per_sample"].isna().all() == bool(words)
    assert words in "; ".join(flag for one in loaded.logs for flag in one.flags)


def test_a_file_a_node_is_a_machine_of_its_own(tmp_path: Path) -> None:
    files = []
    for node in range(2):
        line = {"run_id": f"n{node}", "gpu_count": "4", "gpu_model": "4 x NVIDIA A100"}
        files.append(LogFile(a_log(tmp_path / f"node_{node}", line), None))
    made = import_logs(files, Given(model="vit", num_samples=10_000))
    assert _rates(made) == [pytest.approx(2e-6)]
    found = made.records[0].setup.found
    assert found is not None and found.num_devices == 8


@pytest.mark.parametrize(
    ("listed", "num_records"),
    [
        ({1: 1, 8: 8}, 2),  # so many GPUs as the name says
        ({1: 1, 2: 2}, 2),
        ({1: 8, 2: 8, 4: 8, 8: 8}, 4),  # machine mode lists all that the machine has
        ({1: 1, 3: 1}, 1),  # ranks of one run, of which some are missing
        ({0: 8, 1: 8}, 1),
        ({1: 1, 2: 1}, 1),
    ],
)
def test_folders_of_a_scaling_study_are_no_ranks(
    tmp_path: Path, listed: dict[int, int], num_records: int
) -> None:
    for number, gpus in listed.items():
        line = {
            "run_id": f"r{number}",
            "gpu_count": f"{gpus}",
            "gpu_model": f"{gpus} x NVIDIA A100",
        }
        a_log(tmp_path / f"gpu{number}", line)
    made = _imported(tmp_path)
    assert len(made.records) == num_records
    assert ("as how many devices" in _flags(made)) == (num_records > 1)


def test_runs_of_two_projects_are_no_ranks_of_one(tmp_path: Path) -> None:
    for rank, project in enumerate(("resnet", "vit")):
        line = PROCESS | {"run_id": project, "project_name": project}
        a_log(tmp_path, line, name=f"emissions_{rank}.csv")
    assert "rank files are added" not in _flags(_imported(tmp_path))


def test_how_many_machines_ran_is_said_only_where_the_files_tell(tmp_path: Path) -> None:
    a_log(tmp_path / "one", PROCESS | {"run_id": "one"})
    _put(tmp_path / "ranks", 0, 1)
    for node in range(2):
        a_log(tmp_path / "nodes" / f"node_{node}", {"run_id": f"n{node}"})
    machines = {}
    for name in ("one", "ranks", "nodes"):
        [record] = _imported(tmp_path / name).records
        assert record.setup.found is not None
        assert record.setup.asked.num_nodes is record.setup.asked.channels_last is None
        machines[name] = record.setup.found.num_nodes
    assert machines == {"one": 1, "ranks": None, "nodes": 2}


def test_a_folder_with_a_config_of_its_own_is_of_a_job_on_so_many_devices(tmp_path: Path) -> None:
    for number in (1, 8):
        folder = tmp_path / f"gpu{number}"
        a_config(folder)
        a_log(folder, {"run_id": f"r{number}", "gpu_count": f"{number}"})
    assert load([tmp_path]).frame["kwh_per_sample"].notna().all()


def test_a_file_that_counts_in_anothers_row_says_in_which(tmp_path: Path) -> None:
    for rank in range(2):
        a_log(tmp_path / f"rank_{rank}", PROCESS | {"run_id": f"r{rank}"})
    assert "counted in the row of ../rank_0/emissions.csv" in _flags(_imported(tmp_path))
