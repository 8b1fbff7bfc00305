"""The cache of embedded data sets: each is written once and shared by every run after it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

PER_FILE = 4096
"""Bytes that a file's last block and its header take beside its content, about."""


def written_once(target: Path, write: Callable[[Path], None], num_bytes: float) -> Path:
    """`target`, filled by `write(folder)` if it does not exist yet. num_bytes: that it will take,
    about.

    The folder appears whole or not at all. Of two at once the second waits and finds it there; what
    a killed writer has left is removed by the next. Raises `OSError` where the cache cannot be
    written, or its disk has no room for the set, before anything is written.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_dir():
            return target
        shutil.rmtree(draft, ignore_errors=True)
        _require_room(target.parent, num_bytes)
        draft.mkdir()
        try:
            write(draft)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target


def _require_room(folder: Path, num_bytes: float) -> None:
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        raise OSError(
            f"the disk of {folder} has {_gb(free)} GB left, and the set needs about "
            f"{_gb(num_bytes)} GB"
        )


def _gb(num_bytes: float) -> str:
    return f"{num_bytes / 1e9:.3g}" if num_bytes < 1e12 else f"{num_bytes / 1e9:,.0f}"
