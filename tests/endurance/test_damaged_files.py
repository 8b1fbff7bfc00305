"""A thousand damaged records and a thousand damaged CSV logs: each is read or reported."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

from analysis.load import load
from analysis.tables import Options, all_tables
from analysis.writers import WRITERS
from metering.record import RecordError, from_json, to_json
from tests.analysis.records import a_record
from tests.endurance.mutations import damaged_csv, damaged_record

NUM_FILES = 1_000
CSV = """timestamp,project_name,run_id,duration,emissions,energy_consumed,cpu_energy,gpu_energy,\
ram_energy,gpu_count,gpu_model,cpu_model
2024-01-01T00:00:00,swin_t,a,3600.0,0.1,0.5,0.1,0.3,0.1,1,NVIDIA RTX A6000,EPYC
2024-01-01T02:00:00,swin_t,b,3600.0,0.1,0.5,0.1,0.3,0.1,1,NVIDIA RTX A6000,EPYC
"""
CONFIG = "task: classification\nmodel: swin_t\ndata: imagenet\nbatch_size: 32\nnum_images: 100000\n"


def write_damaged_records(folder: Path, seed: int) -> list[Path]:
    draw, text = random.Random(seed), to_json(a_record())
    paths = []
    for number in range(NUM_FILES):
        path = folder / f"{number:04d}" / "record.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(damaged_record(text, draw))
        paths.append(path)
    return paths


def everything_is_shown(folder: Path) -> set[str]:
    """Load, make and write every table in every format; the paths that were read or reported."""
    loaded = load([folder])
    for accounting in ("source", "paper"):
        for name, table in all_tables(loaded.frame, Options(accounting)).items():
            for write in WRITERS.values():
                assert write(name, table)
    for problem in loaded.problems:
        assert len(str(problem).splitlines()) == 1
        assert problem.reason
    return {*loaded.frame["path"], *(problem.path for problem in loaded.problems)}


def test_each_damaged_record_is_read_or_reported(tmp_path):
    paths = write_damaged_records(tmp_path, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", RuntimeWarning
        )  # a warning at the terminal would be noise to a user
        assert everything_is_shown(tmp_path) == {str(path) for path in paths}


def test_the_strict_reader_answers_with_a_record_or_with_one_line(tmp_path):
    num_read = 0
    for path in write_damaged_records(tmp_path, seed=2):
        try:
            read = from_json(path.read_bytes())
        except RecordError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert from_json(to_json(read)) == read
            num_read += 1
    assert 0 < num_read < NUM_FILES


def test_each_damaged_csv_log_is_read_or_reported(tmp_path):
    draw = random.Random(4)
    paths = set()
    for number in range(NUM_FILES):
        folder = tmp_path / f"{number:04d}"
        (folder / ".hydra").mkdir(parents=True)
        config = CONFIG.encode() if number % 4 else damaged_csv(CONFIG, draw)
        (folder / ".hydra" / "config.yaml").write_bytes(config)
        (folder / "emissions.csv").write_bytes(
            damaged_csv(CSV, draw) if number % 4 else CSV.encode()
        )
        paths.add(str(folder / "emissions.csv"))
    assert everything_is_shown(tmp_path) == paths
