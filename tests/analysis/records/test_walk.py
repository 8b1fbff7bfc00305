"""Nothing under a folder hangs, loops, or is skipped without a word."""

from __future__ import annotations

import os
from pathlib import Path

from analysis.records.load import load
from tests.analysis.sample_records import a_record, put


def test_a_fifo_in_a_records_place_is_named_and_does_not_hang(tmp_path: Path):
    put(tmp_path, a_record())
    (tmp_path / "other").mkdir()
    os.mkfifo(tmp_path / "other" / "record.json")
    os.mkfifo(tmp_path / "other" / "emissions.csv")
    loaded = load([tmp_path])
    assert len(loaded.frame) == 2
    assert [problem.path for problem in loaded.problems] == [
        str(tmp_path / "other" / "emissions.csv"),
        str(tmp_path / "other" / "record.json"),
    ]
    assert "is no regular file" in loaded.problems[0].reason


def test_a_linked_run_folder_is_read(tmp_path: Path):
    put(tmp_path / "elsewhere", a_record())
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mine").symlink_to(tmp_path / "elsewhere")
    loaded = load([tmp_path / "runs"])
    assert len(loaded.frame) == 2 and not loaded.problems


def test_a_loop_ends_and_is_named(tmp_path: Path):
    put(tmp_path, a_record())
    (tmp_path / "swin_t-0" / "again").symlink_to(tmp_path)
    loaded = load([tmp_path])
    assert len(loaded.frame) == 2
    [problem] = loaded.problems
    assert problem.path == str(tmp_path / "swin_t-0" / "again")
    assert "read already" in problem.reason


def test_a_broken_link_is_named(tmp_path: Path):
    (tmp_path / "record.json").symlink_to(tmp_path / "nothing.json")
    [problem] = load([tmp_path]).problems
    assert "cannot be read: No such file" in problem.reason


def test_folders_that_overlap_are_read_once(tmp_path: Path):
    put(tmp_path / "a", a_record())
    loaded = load([tmp_path, tmp_path / "a"])
    assert len(loaded.frame) == 2 and not loaded.problems and not loaded.copies
