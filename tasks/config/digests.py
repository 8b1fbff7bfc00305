"""What a file holds, in a few letters: a run is another run when its checkpoint has changed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


def digest(path: Path) -> str:
    """16 hex digits of the file's SHA-256. Raises `OSError`. A file is read once, unless it was
    written since: every run of a sweep asks."""
    status = path.stat()
    return _digest(path.resolve(), status.st_mtime_ns, status.st_size)


@cache
def _digest(path: Path, _changed_ns: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def digest_of_text(text: str) -> str:
    """16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
