"""A look at class folders before timm's reader goes through them: it follows links without end,
says nothing of folders that it may not list, and leaves most kinds of pictures out."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import PlanError

_SYSTEM = (
    "__MACOSX",
    "__pycache__",
    "@eaDir",
    "lost+found",
    "$RECYCLE.BIN",
    "System Volume Information",
    "Thumbs.db",
)
_OTHER_PICTURES = (
    *("", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".jfif", ".jpe", ".jp2"),
    *(".heic", ".avif"),
)
_TEXTS = frozenset((".txt", ".csv", ".tsv", ".json", ".xml", ".md", ".yaml", ".yml", ".html"))


@dataclass(frozen=True)
class Walked:
    """leaves: folders without folders in them, as relative paths, but for those of texts alone,
    which are no classes; places: folders that hold images which timm reads, under the name of their
    class; left_out: number of pictures that timm does not read, by the end of their names."""

    leaves: tuple[str, ...]
    places: dict[str, tuple[str, ...]]
    left_out: dict[str, int]


def is_hidden(name: str) -> bool:
    """Whether a file or folder is the system's, not the set's."""
    return name.startswith(".") or name in _SYSTEM


def walk(root: Path, folder: Path) -> Walked:
    """All folders under `folder`, one split of the set `root`. Raises `PlanError` for a link to a
    folder that holds it, and `OSError` for a folder that cannot be listed."""
    from timm.data.readers.img_extensions import get_img_extensions

    extensions = get_img_extensions(as_set=True)
    above: dict[str, tuple[str, ...]] = {str(folder): (os.path.realpath(folder),)}
    leaves, left_out = [], Counter[str]()
    places: dict[str, list[str]] = {}
    for place, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        for name in folders:
            inner = os.path.join(place, name)
            above[inner] = (*above[place], _real(root, inner, above[place]))
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        relative = os.path.relpath(place, folder)
        ends = Counter(os.path.splitext(name)[1].lower() for name in names if not is_hidden(name))
        is_of_texts = bool(ends) and ends.keys() <= _TEXTS
        if not folders and relative != os.curdir and not is_of_texts:
            leaves.append(relative)
        if any(end in extensions for end in ends):
            places.setdefault(os.path.basename(relative), []).append(relative)
        left_out.update({end: ends[end] for end in _OTHER_PICTURES if end in ends})
    return Walked(
        tuple(leaves), {name: tuple(where) for name, where in places.items()}, dict(left_out)
    )


def _real(root: Path, inner: str, above: tuple[str, ...]) -> str:
    """The folder that `inner` is, links followed. above: those that hold it."""
    if not os.path.islink(inner):
        return os.path.join(above[-1], os.path.basename(inner))
    real = os.path.realpath(inner)
    if real in above:
        raise PlanError(
            f"data.root={root}: the link {inner} leads to {real}, which holds it, so that its "
            "images would be read again and again; delete the link"
        )
    return real


def _raise(error: OSError) -> None:
    raise error
