"""Annotation lists of videos: a name and a label in each line, as MMAction2 has them, and as they
are found: tabs, blanks in names, commas, blank lines, a byte order mark, Windows' line ends."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from tasks.errors import PlanError

_ENTRY = re.compile(
    r"(?P<name>.*[^\s,;])(?:\s*[,;]\s*|\s+)(?P<quote>[\"']?)(?P<label>[0-9]+)(?P=quote)[\s,;]*"
)


@cache
def read(path: Path) -> tuple[tuple[str, int], ...]:
    """Names of videos with their labels. The label is the last word of a line. Read once a process.
    Raises `PlanError` naming the list and the line."""
    entries = []
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        entry = _ENTRY.fullmatch(line.strip())
        if entry is None:
            raise PlanError(
                f"data.root: line {number} of {path} is {line.strip()[:80]!r}; expected the name "
                "of a video and its label, a whole number, with a blank or a tab between them"
            )
        entries.append((_unquoted(entry["name"]), int(entry["label"])))
    return tuple(entries)


def _unquoted(name: str) -> str:
    """A quote at one end alone is part of the name."""
    is_quoted = len(name) > 2 and name[0] == name[-1] and name[0] in "\"'"
    return name[1:-1] if is_quoted else name


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlanError(f"data.root: {path} cannot be read: {error}; give one that can") from None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise PlanError(
            f"data.root: line {number} of {path} is not in UTF-8 "
            f"(byte {content[error.start]:#04x}); convert the list, for instance by "
            "iconv -f LATIN1 -t UTF-8, or -f UTF-16"
        ) from None


def check(path: Path, videos: Path, num_classes: int, *, all_there: bool, cure: str) -> int:
    """The number of videos. Raises `PlanError` for an empty list, a label that is no class, and,
    where `all_there`, a video that is not in the folder `videos`."""
    entries = read(path)
    if not entries:
        raise PlanError(f"data.root: {path} lists no video; {cure}")
    worst = max(entries, key=lambda entry: entry[1])
    if worst[1] >= num_classes:
        raise PlanError(
            f"data.root: {path} gives {worst[0]} the label {worst[1]}; labels go from 0 to "
            f"{num_classes - 1} with data.options.num_classes={num_classes}"
        )
    _require_one_label(path, entries)
    there = _names(videos, frozenset(os.path.dirname(name) for name, _ in entries))
    missing = [name for name, _ in entries if os.path.normpath(name) not in there]
    if missing and (all_there or len(missing) == len(entries)):
        raise PlanError(
            f"data.root: {path} lists {len(missing)} of {len(entries)} videos that are not in "
            f"{videos}, such as {missing[0]!r}{_several_numbers(missing[0])}; {cure}"
        )
    return len(entries)


def _require_one_label(path: Path, entries: tuple[tuple[str, int], ...]) -> None:
    labels: dict[str, int] = {}
    for name, label in entries:
        if labels.setdefault(os.path.normpath(name), label) != label:
            raise PlanError(
                f"data.root: {path} gives {name!r} the labels {labels[os.path.normpath(name)]} and "
                f"{label}; leave one of the two lines out"
            )


def _several_numbers(name: str) -> str:
    """What to say of a line that has numbers between name and label."""
    if not re.search(r"\S[\s,;]+[0-9]+$", name):
        return ""
    return (
        " (a line is a name and one label; lists of frames, with their number, and several labels "
        "are not read)"
    )


@cache
def _names(videos: Path, folders: frozenset[str]) -> frozenset[str]:
    """Files under `videos` in any of `folders`; a folder is listed once."""
    names = set()
    for folder in folders:
        try:
            with os.scandir(videos / folder) as entries:
                names |= {os.path.normpath(os.path.join(folder, one.name)) for one in entries}
        except OSError:
            continue  # its videos are then missing
    return frozenset(names)
