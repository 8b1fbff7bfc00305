"""The files under a folder, through links, each folder once and regular files alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from metering.record import FILE_NAME

Refuse = Callable[[str, str], None]
"""Takes the path of what is left out, and why."""
NOT_REGULAR = "is no regular file (a FIFO, a socket, a device or a folder)"
Folder = tuple[int, int]
"""Device and inode: one folder by whatever path."""


def walk(
    top: Path, visited: set[Folder], is_wanted: Callable[[str], bool], refuse: Refuse
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Path, subfolders and files of each folder at or under `top` that is not in `visited`, which
    it enters. Links are followed; one that leads back, or to what was read by another path, is
    refused by name. A wanted file that is none (a FIFO, a socket, a device, a broken link) is
    refused too, for opening it may hang, and so is a folder of a record's name."""

    def unseen(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            refuse(str(error.filename), f"cannot be read: {error.strerror or error}")

    for root, folders, files in os.walk(top, onerror=unseen, followlinks=True):
        status = os.stat(root)
        folder = status.st_dev, status.st_ino
        if folder in visited:
            folders.clear()
            if os.path.islink(root):
                refuse(root, "a link to a folder that is read already")
            continue
        visited.add(folder)
        for name in folders:
            if name == FILE_NAME:
                refuse(os.path.join(root, name), NOT_REGULAR)
        yield (
            root,
            folders,
            [
                name
                for name in files
                if not is_wanted(name) or _is_regular(os.path.join(root, name), refuse)
            ],
        )


def _is_regular(path: str, refuse: Refuse) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        refuse(path, f"cannot be read: {error.strerror or error}")
        return False
    if not stat.S_ISREG(mode):
        refuse(path, NOT_REGULAR)
        return False
    return True
