"""What an error of the operating system means to whoever started a run: which of its folders, what
is the matter with it, and the cure, in one line."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.plan import Plan

_TEXT = re.compile(r"\[Errno (\d+)\] [^:\n]*(?:: '([^']+)')?")  # of one that came as words
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_WORDS = os.strerror(errno.ENOSPC)
_GONE = {errno.ENOENT, errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.EHOSTDOWN}
_LITTLE_BYTES = 2**20
OUTPUT, CACHE, DATA = "output_dir", "data.cache_dir", "data.root"


def places_of(plan: Plan | None) -> dict[str, Path]:
    """The folders that a run reads and writes, by the key that names them."""
    if plan is None:
        return {}
    places = {OUTPUT: plan.output_dir}
    if plan.data.cache_dir:
        places[CACHE] = Path(plan.data.cache_dir)
    if plan.data.root is not None:
        places[DATA] = Path(plan.data.root)
    return {key: path.expanduser().absolute() for key, path in places.items()}


def explain(error: BaseException, places: Mapping[str, Path]) -> str | None:
    """One line for `error`; None where it is no error of the operating system, or where nothing
    can be said beyond its own words."""
    number, name = _number_and_name(error)
    if number is None:
        return None
    if number == errno.EPIPE:
        return "whatever read this command's output has gone (a closed pipe); records are complete"
    key = _place_of(name, places) if name else None
    if number in _FULL:
        return _of_full_disk(key or _full_place(places), name or str(error), places)
    return _of_place(key, name, os.strerror(number), number in _GONE, places)


def _of_full_disk(key: str | None, name: str, places: Mapping[str, Path]) -> str:
    if key is None:
        return f"a disk is full ({_FULL_WORDS}): {name}; free some space"
    return (
        f"{key}={places[key]}: its disk is full ({_FULL_WORDS}); "
        f"free some space or set {key}=FOLDER"
    )


def _of_place(
    key: str | None, name: str, words: str, is_gone: bool, places: Mapping[str, Path]
) -> str | None:
    if key == DATA:
        lost = "; is its disk mounted?" if is_gone else ""
        return f"{key}={places[key]} cannot be read: {name}: {words}{lost}"
    if key is not None:
        return f"{key} cannot be written: {name}: {words}; set {key}=FOLDER to one that can"
    return f"{name}: {words}" if name else None


def _number_and_name(error: BaseException) -> tuple[int | None, str]:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno, str(error.filename) if error.filename is not None else ""
    if isinstance(error, OSError | RuntimeError) and (match := _TEXT.search(str(error))):
        return int(match[1]), match[2] or ""
    return None, ""


def _place_of(name: str, places: Mapping[str, Path]) -> str | None:
    """The folder that `name` lies in: the innermost where one lies in another."""
    path = Path(name).absolute()
    inside = [key for key, place in places.items() if path == place or place in path.parents]
    above = [key for key, place in places.items() if path in place.parents]
    if inside:
        return max(inside, key=lambda key: len(places[key].parts))
    return above[0] if above else None


def _full_place(places: Mapping[str, Path]) -> str | None:
    for key, place in places.items():
        folder = next((parent for parent in (place, *place.parents) if parent.is_dir()), None)
        with suppress(OSError):
            if folder is not None and shutil.disk_usage(folder).free < _LITTLE_BYTES:
                return key
    return None
