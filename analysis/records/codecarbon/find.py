"""Which files under a folder are CodeCarbon's, and where the Hydra config of each may lie.

Beside it or above it: the config of its run. Else (Hydra from 1.2 on stays in the working folder)
below it or beside it: one of several, which `match` chooses by time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.records.codecarbon.parse import is_emissions_header

CONFIG = Path(".hydra") / "config.yaml"
_HEAD_BYTES = 4096
_KINDS = (".csv", ".tsv", ".gz", ".bz2", ".xz", ".zip", ".xlsx", ".xls", ".ods", ".parquet")
"""Of a file that is named after emissions: what is no CSV file is then left out by name."""
_OUTPUTS = frozenset(("outputs", "output", "multirun", "logs", "runs"))
"""Folders in which Hydra keeps runs, by its defaults and by widespread custom."""


@dataclass
class Seen:
    """What a walk came by. csv_files: that may be CodeCarbon's; hydra: folders that hold a
    `.hydra`; own: folders of this suite's records, whose logs are in their records."""

    csv_files: list[Path] = field(default_factory=list)
    hydra: set[Path] = field(default_factory=set)
    own: set[Path] = field(default_factory=set)

    def note(self, root: Path, folders: Sequence[str], files: Sequence[str]) -> None:
        """One folder of the walk, with the names of what it holds."""
        if ".hydra" in folders:
            self.hydra.add(root)
        self.csv_files += [root / name for name in files if may_be_a_log(name)]


@dataclass(frozen=True)
class LogFile:
    """config: of this file's run, `None` where none lies beside or above it; candidates: configs
    of runs that may have written it from the working folder."""

    path: Path
    config: Path | None
    candidates: tuple[Path, ...] = ()

    @property
    def is_backup(self) -> bool:
        """CodeCarbon moves a file whose columns differ from its own, and begins another."""
        return self.path.suffix.lower() == ".bak"


def log_files(seen: Seen, tops: Sequence[Path]) -> list[LogFile]:
    """The emissions files that were seen, by path; tops: the folders that were asked for, above
    which no config is looked for."""
    paths = [path for path in sorted(set(seen.csv_files)) if _is_log(path, seen.own)]
    hydra = {folder for folder in seen.hydra if (folder / CONFIG).is_file()}
    nearest = {path: _nearest(path.parent, hydra, tops) for path in paths}
    free = hydra - set(nearest.values())
    return [
        LogFile(path, folder / CONFIG)
        if (folder := nearest[path]) is not None
        else LogFile(path, None, _around(path.parent, free, tops))
        for path in paths
    ]


def may_be_a_log(name: str) -> bool:
    """By the name of a file: `emissions.csv`, `emissions.csv.gz`, `train.csv_0.bak`."""
    low = name.lower()
    return low.endswith(".csv") or _is_backup(low) or _is_named_as_log(low)


def _is_named_as_log(name: str) -> bool:
    low = name.lower()
    return low.startswith("emission") and low.endswith((*_KINDS, ".bak"))


def _is_backup(name: str) -> bool:
    return re.search(r"\.csv(_\d+)?\.bak$", name) is not None


def _is_log(path: Path, own: set[Path]) -> bool:
    """A name with `emission` counts even where its content does not: it is then left out by
    name; any other name has to have CodeCarbon's columns."""
    if any(folder in own for folder in path.parents):
        return False
    if _is_named_as_log(path.name):
        return True
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    lines = head.decode("utf-8-sig", errors="replace").splitlines()
    return any(is_emissions_header(line) for line in lines[:5])


def _nearest(folder: Path, hydra: set[Path], tops: Sequence[Path]) -> Path | None:
    for above in _up_to_top(folder, tops):
        if above in hydra:
            return above
    return None


def _around(folder: Path, free: set[Path], tops: Sequence[Path]) -> tuple[Path, ...]:
    """Configs under the nearest folder, from `folder` up, that has some below it: of a folder above
    only those in `_OUTPUTS`, since others may be of other projects."""
    for above in _up_to_top(folder, tops):
        below = sorted(
            place / CONFIG
            for place in free
            if above in place.parents
            and (above == folder or place.relative_to(above).parts[0].lower() in _OUTPUTS)
        )
        if below:
            return tuple(below)
    return ()


def _up_to_top(folder: Path, tops: Sequence[Path]) -> list[Path]:
    holding = [top for top in tops if top == folder or top in folder.parents]
    if not holding:
        return [folder]
    top = min(holding, key=lambda folder: len(folder.parts))
    return [above for above in (folder, *folder.parents) if above == top or top in above.parents]
