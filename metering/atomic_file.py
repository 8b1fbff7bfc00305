"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yields the path of an empty temporary file beside `target`; what the caller writes there is
    on the disk and takes `target`'s place when the context is left, or is removed when an error
    leaves it. Two writers at once: the last one's file stays, whole. Raises `OSError`."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}-", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        os.close(descriptor)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o644)  # mkstemp's is for its owner alone
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write(target: Path, content: bytes) -> None:
    """`content` as the whole of `target`, whose folder is made. Raises `OSError`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        temporary.write_bytes(content)


def remove_leftovers(folder: Path, name: str) -> None:
    """Remove what killed writers of `folder/name` left; nobody may be writing it now."""
    for temporary in folder.glob(f".{name}-*.tmp"):
        temporary.unlink(missing_ok=True)
