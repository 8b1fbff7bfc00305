"""The runs that a person names: a folder, a record, a pattern of paths, the beginning of a run id,
or FOLDER/ID."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.errors import AnalysisError
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.named_folders import DEFAULT_FOLDERS, load_named, unpacked
from analysis.records.load import load
from metering.record import FILE_NAME, Record, RecordError
from metering.record_file import read

_RUN_ID = re.compile(r"[0-9a-f]{4,32}")
_IDENTITY = re.compile(r"([0-9a-f]{16})(-\d+)?$")


@dataclass(frozen=True)
class Named:
    """name: as it was typed; frame: its rows; records: of its paths, none of an imported log;
    measured: its row, `None` where nothing was measured to the end."""

    name: str
    frame: pd.DataFrame
    records: tuple[Record, ...]
    measured: Measured | None


def named(name: str) -> Named:
    """What `name` means: runs of one set-up.

    Raises `AnalysisError` where it is none, or several set-ups."""
    return of_frame(name, frame_of(name))


def of_frame(name: str, frame: pd.DataFrame) -> Named:
    """`named`, whose rows are loaded already."""
    rows = merge(frame)
    if len(rows) > 1:
        raise AnalysisError(
            f"{name} holds {len(rows)} set-ups; name the runs of one, such as "
            f"{_some(_names(name, frame))}; `show` lists what a folder holds"
        )
    records = frame[frame["kind"] == "record"]["path"]
    try:
        read_again = tuple(read(Path(path)) for path in dict.fromkeys(records))
    except (OSError, RecordError) as error:
        raise AnalysisError(f"{name}: {error}; measure it again") from None
    return Named(name, frame, read_again, rows[0] if rows else None)


def frame_of(name: str) -> pd.DataFrame:
    """The rows of all runs that `name` means. Raises `AnalysisError` where it means none."""
    place = Path(name).expanduser()
    if not place.exists() and (paths := sorted(glob.glob(str(place)))):
        return load_named(paths).frame
    if not place.exists() and place.parent.exists() and _is_in_a_place(place):
        inside = str(place.parent)
        but = f"{name} does not exist, and no run id"
        return _of_id(place.name, load_named([inside]).frame, but, inside)
    if place.exists() or not _RUN_ID.fullmatch(name):
        if place.exists() and not (place.is_dir() or place.is_file()):
            raise AnalysisError(
                f"{name} is no regular file (a FIFO, a socket, a device); name a run"
            )
        return load_named([name]).frame
    folders = " or ".join(DEFAULT_FOLDERS)
    return _of_id(name, load(DEFAULT_FOLDERS).frame, f"{name} is no path, and no run id", folders)


def _is_in_a_place(place: Path) -> bool:
    return len(place.parts) > 1 and _RUN_ID.fullmatch(place.name) is not None


def _of_id(start: str, frame: pd.DataFrame, but: str, folders: str) -> pd.DataFrame:
    of_it = (
        frame[[str(run_id).startswith(start) for run_id in frame["run_id"]]]
        if len(frame)
        else frame
    )
    if of_it.empty:
        raise AnalysisError(f"{but} in {folders} begins so; name one")
    return of_it


def _names(name: str, frame: pd.DataFrame) -> list[str]:
    """How each run of `frame` is named; repetitions (ID, ID-2, ID-3) as one quoted pattern."""
    if unpacked(name) != name:
        return [f"{name}/{str(run_id)[:8]}" for run_id in dict.fromkeys(frame["run_id"])]
    paths = (Path(path) for path in frame["path"])
    folders = (path.parent if path.name == FILE_NAME else path for path in paths)
    patterns = (
        f"'{folder.parent}/{match[1]}*'" if (match := _IDENTITY.match(folder.name)) else str(folder)
        for folder in folders
    )
    return list(dict.fromkeys(patterns))


def _some(paths: list[str]) -> str:
    more = f", and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more
