"""The cache of embedded data sets: each is written once and shared by every run after it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def written_once(target: Path, write: Callable[[Path], None]) -> Path:
    """`target`, filled by `write(folder)` if it does not exist yet.

    The folder appears whole or not at all. Of two at once the second waits and finds it there; what
    a killed writer has left is removed by the next. Raises `OSError` where the cache cannot be
    written.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_dir():
            return target
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            write(draft)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target
