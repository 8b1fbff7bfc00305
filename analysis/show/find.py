"""The runs that a person names: a folder, a record, or the beginning of a run id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.commands.folders import DEFAULT_FOLDERS, load_named
from analysis.errors import AnalysisError
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.records.load import load
from metering.record import Record, RecordError
from metering.record_file import read

_RUN_ID = re.compile(r"[0-9a-f]{4,32}")


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
        paths = list(dict.fromkeys(frame["path"]))
        raise AnalysisError(
            f"{name} holds {len(rows)} set-ups; name the runs of one: {_some(paths)}"
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
    if place.exists() or not _RUN_ID.fullmatch(name):
        if place.exists() and not (place.is_dir() or place.is_file()):
            raise AnalysisError(
                f"{name} is no regular file (a FIFO, a socket, a device); name a run"
            )
        return load_named([name]).frame
    frame = load(DEFAULT_FOLDERS).frame
    of_it = frame[[str(one).startswith(name) for one in frame["run_id"]]] if len(frame) else frame
    if of_it.empty:
        folders = " or ".join(DEFAULT_FOLDERS)
        raise AnalysisError(f"{name} is no path, and no run id in {folders} begins so; name one")
    return of_it


def _some(paths: list[str]) -> str:
    more = f", and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more
