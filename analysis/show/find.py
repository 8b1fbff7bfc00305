"""The runs that a person names: a folder, a record, a pattern of paths, or an id: of a run, of
several (`ID,ID,ID`), or of a set-up and so of all its repetitions. FOLDER/ID and BUNDLE/ID look
there alone."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.errors import AnalysisError
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.named_folders import DEFAULT_FOLDERS, load_named, unpacked
from analysis.records.describe import setup_fields
from analysis.records.load import load
from metering.record import FILE_NAME, Record, RecordError
from metering.record_file import read

_IDS = re.compile(r"[0-9a-f]{4,32}(,[0-9a-f]{4,32})*")
_ID_DIGITS = 8
"""Of a run's id, as names show it."""
_MOST_NAMES = 3
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
            f"{name} holds {len(rows)} set-ups{_unlike(rows)}; name the runs of one, such as "
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
        return _of_ids(place.name, load_named([inside]).frame, but, inside)
    if place.exists() or not _IDS.fullmatch(name):
        if place.exists() and not (place.is_dir() or place.is_file()):
            raise AnalysisError(
                f"{name} is no regular file (a FIFO, a socket, a device); name a run"
            )
        return load_named([name]).frame
    folders = " or ".join(DEFAULT_FOLDERS)
    but = f"{name} is no path, and no run id"
    return _of_ids(name, load(DEFAULT_FOLDERS).frame, but, folders)


def _is_in_a_place(place: Path) -> bool:
    return len(place.parts) > 1 and _IDS.fullmatch(place.name) is not None


def _of_ids(text: str, frame: pd.DataFrame, but: str, folders: str) -> pd.DataFrame:
    """The rows of each id that `text` names, or begins."""
    wanted = pd.Series(False, index=frame.index)
    for start in text.split(","):
        of_it = _begin_with(frame["run_id"], start)
        if not of_it.any():
            of_it = _begin_with(frame["identity"], start)
        if not of_it.any():
            which = "" if start == text else f" ({start})"
            raise AnalysisError(
                f"{but}{which} in {folders} begins so, nor a set-up's identity; name one"
            )
        wanted |= of_it
    return frame[wanted]


def _begin_with(ids: pd.Series, start: str) -> pd.Series:
    return ids.astype(str).str.startswith(start)


def _unlike(rows: Sequence[Measured]) -> str:
    """What tells the first two of several set-ups apart."""
    first, second = (setup_fields(row.setup) for row in rows[:2])
    names = [name for name in first | second if first.get(name) != second.get(name)]
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f", which differ in {', '.join(names[:_MOST_NAMES])}{more}"


def _names(name: str, frame: pd.DataFrame) -> list[str]:
    """How the runs of each set-up of `frame` are named; repetitions (ID, ID-2, ID-3) as one quoted
    pattern, in a bundle by their identity, or where others have it too by their ids."""
    bundle = name if unpacked(name) != name else str(Path(name).parent)
    if unpacked(bundle) != bundle:
        return [f"{bundle}/{ids}" for ids in _ids(frame)]
    paths = (Path(path) for path in frame["path"])
    folders = (path.parent if path.name == FILE_NAME else path for path in paths)
    patterns = (
        f"'{folder.parent}/{match[1]}*'" if (match := _IDENTITY.match(folder.name)) else str(folder)
        for folder in folders
    )
    return list(dict.fromkeys(patterns))


def _ids(frame: pd.DataFrame) -> Iterator[str]:
    num_setups = frame.groupby("identity")["merge_key"].nunique()
    finished = frame[frame["status"] == "finished"]
    for _, runs in finished.groupby("merge_key", sort=False):
        identity = runs["identity"].iloc[0]
        run_ids = list(dict.fromkeys(runs["run_id"].astype(str)))
        if len(run_ids) > 1 and num_setups.get(identity) == 1:
            yield str(identity)
        else:
            yield ",".join(run_id[:_ID_DIGITS] for run_id in run_ids)


def _some(paths: list[str]) -> str:
    more = f", and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more
