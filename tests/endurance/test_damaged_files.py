"""A thousand damaged records, CSV logs and YAML configs each: every one is read or reported."""

from __future__ import annotations

import json
import random
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analysis.records.load import UNFORESEEN, load
from analysis.records.rows import rows_of
from analysis.tables.grid import grid
from analysis.tables.lines import Options
from analysis.tables.paper import all_tables
from analysis.tables.writers import FROM_GRID, to_csv
from metering.record import RecordError
from metering.record_file import from_json, to_json
from tests.analysis.sample_records import a_record
from tests.endurance.mutations import damaged_csv, damaged_record, damaged_yaml, each_value_strange

NUM_FILES = 1_000
SHIPPED = Path(__file__).resolve().parents[2] / "results" / "records"
CSV = """timestamp,project_name,run_id,duration,emissions,energy_consumed,cpu_energy,gpu_energy,\
ram_energy,gpu_count,gpu_model,cpu_model
2024-01-01T00:00:00,swin_t,a,3600.0,0.1,0.5,0.1,0.3,0.1,1,NVIDIA RTX A6000,EPYC
2024-01-01T02:00:00,swin_t,b,3600.0,0.1,0.5,0.1,0.3,0.1,1,NVIDIA RTX A6000,EPYC
"""
CONFIG = "task: classification\nmodel: swin_t\ndata: imagenet\nbatch_size: 32\nnum_images: 100000\n"
TASKS = {"classification", "segmentation", "action_recognition"}
RUN_ID = re.compile(r'"run_id": *"[0-9a-f]{32}"')
Damage = Callable[[str, random.Random], bytes]


def task_of(text: str) -> str:
    """Of a record of either schema."""
    record = json.loads(text)
    task: str = record["task"] if "task" in record else record["setup"]["asked"]["task"]
    return task


def shipped_records() -> list[str]:
    texts = [path.read_text("utf-8") for path in sorted(SHIPPED.rglob("record.json"))]
    assert set(map(task_of, texts)) == TASKS
    return texts


def write_damaged_records(folder: Path, seed: int) -> list[Path]:
    """Of the tests' own record and of the shipped ones, of all three tasks, in turn."""
    draw, paths = random.Random(seed), []
    shipped = shipped_records()
    for number in range(NUM_FILES):
        texts = [to_json(a_record()), *shipped]
        path = folder / f"{number:04d}" / "record.json"
        path.parent.mkdir(parents=True)
        text = RUN_ID.sub(f'"run_id": "{number:032x}"', texts[number % len(texts)])
        path.write_bytes(damaged_record(text, draw))
        paths.append(path)
    return paths


def everything_is_shown(folder: Path) -> set[str]:
    """Load, make and write every table in every format; the paths that were read or reported."""
    loaded = load([folder])
    for accounting in ("source", "paper"):
        for name, table in all_tables(loaded.frame, Options(accounting)).items():
            assert to_csv(table)
            for write in FROM_GRID.values():
                assert write(name, grid(name, table))
    for problem in loaded.problems:
        assert len(str(problem).splitlines()) == 1
        assert problem.reason
        assert not problem.reason.startswith(UNFORESEEN)  # the last resort was not needed
    reported = (*loaded.problems, *loaded.copies)
    return {*loaded.frame["path"], *(problem.path for problem in reported)}


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():  # at the terminal they would be noise to a user
        warnings.simplefilter("error", RuntimeWarning)
        yield


def test_each_damaged_record_is_read_or_reported(tmp_path):
    paths = write_damaged_records(tmp_path, seed=1)
    assert everything_is_shown(tmp_path) == {str(path) for path in paths}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_any_value_of_a_shipped_record_may_be_anything(task: str):
    text = next(text for text in shipped_records() if f'"task": "{task}"' in text)
    num_read = num_refused = 0
    for damaged in each_value_strange(text):
        try:
            num_read += bool(rows_of(damaged.encode(), "record.json"))
        except RecordError:
            num_refused += 1
    assert num_read > 1_000
    assert num_refused > 1_000


def test_the_strict_reader_answers_with_a_record_or_with_one_line(tmp_path):
    num_read = 0
    for path in write_damaged_records(tmp_path, seed=2):
        try:
            read = from_json(path.read_bytes())
        except RecordError as error:
            assert len(str(error).splitlines()) == 1
        else:
            text = to_json(read)  # NaN, which JSON lacks, is null from here on
            assert to_json(from_json(text)) == text
            num_read += 1
    assert 0 < num_read < NUM_FILES


def write_damaged_runs(folder: Path, config: Damage | None, log: Damage | None) -> set[str]:
    """CodeCarbon runs; every file that has a damage is damaged."""
    draw, paths = random.Random(4), set()
    for number in range(NUM_FILES):
        run = folder / f"{number:04d}"
        (run / ".hydra").mkdir(parents=True)
        damaged = config(CONFIG, draw) if config else CONFIG.encode()
        (run / ".hydra" / "config.yaml").write_bytes(damaged)
        (run / "emissions.csv").write_bytes(log(CSV, draw) if log else CSV.encode())
        paths.add(str(run / "emissions.csv"))
    return paths


@pytest.mark.parametrize(
    ("config", "log"),
    [(None, damaged_csv), (damaged_yaml, None)],
    ids=["log", "config"],
)
def test_each_run_with_a_damaged_file_is_read_or_reported(
    tmp_path: Path, config: Damage | None, log: Damage | None
):
    paths = write_damaged_runs(tmp_path, config, log)
    assert everything_is_shown(tmp_path) == paths
