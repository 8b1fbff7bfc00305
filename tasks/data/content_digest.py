"""A digest of some of a set's samples: it tells sets of one name, size and classes apart, at a cost
that does not grow with the set. A copy elsewhere has the same digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

NUM_SAMPLES = 64
"""Of each split, spread evenly from the first to the last."""
_PARTS, _PART_BYTES = 4, 16 * 1024
"""What is read of a large file."""
Sample = TypeVar("Sample")


def of_files(*splits: Sequence[tuple[Path, Any]]) -> str:
    """splits: files with what is known of each (a label), in an order that does not depend on the
    machine. Reads them once a process."""
    return _of_files(tuple(tuple(spread(split)) for split in splits))


@cache
def _of_files(splits: tuple[tuple[tuple[Path, Any], ...], ...]) -> str:
    return digest(
        (split, path.parent.name, path.name, label, content(path))
        for split, samples in enumerate(splits)
        for path, label in samples
    )


def spread(samples: Sequence[Sample]) -> list[Sample]:
    """At most `NUM_SAMPLES` of them."""
    number, last = min(NUM_SAMPLES, len(samples)), len(samples) - 1
    return [samples[place * last // max(1, number - 1)] for place in range(number)]


def digest(entries: Iterable[Sequence[Any]]) -> str:
    """16 hex digits over entries of text and numbers."""
    sha = hashlib.sha256()
    for entry in entries:
        sha.update(("\t".join(map(str, entry)) + "\n").encode("utf-8", "backslashreplace"))
    return sha.hexdigest()[:16]


def content(path: Path) -> str:
    """Size, and a digest of all bytes of a small file, of some parts of a large one; "unreadable"
    for what a run may leave out."""
    sha = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _PARTS * _PART_BYTES:
                sha.update(file.read())
            else:
                for part in range(_PARTS):
                    file.seek(part * (size - _PART_BYTES) // (_PARTS - 1))
                    sha.update(file.read(_PART_BYTES))
    except OSError:
        return "unreadable"
    return f"{size} {sha.hexdigest()}"
