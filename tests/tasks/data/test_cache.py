"""A cached set appears whole or not at all, and once, whoever is killed and however many write."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tasks.data.cache import written_once


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def test_two_writers_at_once_write_one_set(tmp_path: Path) -> None:
    num_written = 0
    both = threading.Barrier(2, timeout=20)

    def write(draft: Path) -> None:
        nonlocal num_written
        num_written += 1
        (draft / "image").touch()

    def ask() -> None:
        both.wait()
        written_once(tmp_path / "set", write)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert num_written == 1
    assert names(tmp_path / "set") == {"image"}
    assert names(tmp_path) == {"set"}


def test_what_a_killed_writer_left_is_neither_used_nor_kept(tmp_path: Path) -> None:
    def killed(draft: Path) -> None:
        (draft / "half").touch()
        draft.rename(tmp_path / "moved")  # so that nothing tidies up, as after SIGKILL
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written_once(tmp_path / "set", killed)
    (tmp_path / "moved").rename(tmp_path / ".set.draft")

    written_once(tmp_path / "set", lambda draft: (draft / "image").touch())
    assert names(tmp_path / "set") == {"image"}
    assert names(tmp_path) == {"set"}


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails(draft: Path) -> None:
        (draft / "half").touch()
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        written_once(tmp_path / "set", fails)
    assert names(tmp_path) == set()
