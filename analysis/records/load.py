"""Records and plain CodeCarbon runs into one tidy DataFrame, one row per record and phase.

Whatever cannot be read is reported by name and left out; nothing else is lost: no file's
content ends the command.
"""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.records.codecarbon.find import LogFile, Seen, log_files, may_be_a_log
from analysis.records.codecarbon.read import LogOutcome, read_logs
from analysis.records.codecarbon.rows import row_of
from analysis.records.rows import COLUMNS, OBJECT_COLUMNS, TEXT_COLUMNS, rows_of
from analysis.records.walk import Folder, walk
from metering.record import FILE_NAME, RecordError

PARALLEL_FROM = 4_000
"""So many records repay the start of a second process."""
_PATH, _RUN_ID, _SETUP, _MERGE_KEY, _RECIPE = map(
    COLUMNS.index, ("path", "run_id", "setup", "merge_key", "recipe")
)
_PHASE, _KIND = map(COLUMNS.index, ("phase", "kind"))
_SAID = tuple(
    map(
        COLUMNS.index,
        ("model", "kwh_per_sample", "num_samples", "duration_s", "energy_kwh"),
    )
)
"""What a copy of a record has in common with it."""
UNFORESEEN = "cannot be understood: "
"""How the reason begins where no check, but Python itself, refused a file."""


@dataclass(frozen=True)
class Problem:
    """A file, a line of one, or a folder that was left out, and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """frame: columns `rows.COLUMNS`, and `started_s` and `ended_s` in seconds since 1970; problems:
    what was left out, by path; logs: what became of each log of other software: used, flagged or
    left out; copies: records that lie in a second place."""

    frame: pd.DataFrame
    problems: tuple[Problem, ...]
    logs: tuple[LogOutcome, ...] = ()
    copies: tuple[Problem, ...] = ()


def load(folders: Sequence[Path | str]) -> Loaded:
    """Every `record.json`, and every log of CodeCarbon's that a Hydra config belongs to, at or
    under `folders`. A folder that does not exist holds nothing."""
    with no_collection():
        return _load(folders)


def _load(folders: Sequence[Path | str]) -> Loaded:
    rows: list[tuple[Any, ...]] = []
    problems: list[Problem] = []
    records, foreign = _find(folders, problems)
    for read_rows, bad in _read_all(records):
        rows.extend(read_rows)
        problems.extend(bad)
    logs = read_logs(foreign)
    rows.extend(map(row_of, logs.runs))
    for outcome in logs.outcomes:
        problems.extend(Problem(outcome.path, reason) for reason in outcome.left_out)
    problems.sort(key=lambda problem: problem.path)
    rows, copies = _each_run_once(rows)
    _note_copied_logs(logs.outcomes, rows, copies)
    return Loaded(_frame(rows), tuple(problems), logs.outcomes, copies)


def _each_run_once(
    rows: list[tuple[Any, ...]],
) -> tuple[list[tuple[Any, ...]], tuple[Problem, ...]]:
    """Rows without those of a run whose record lies in a second place, and these places: the first
    path stays."""
    path_of: dict[str, str] = {}
    numbers: dict[tuple[str, str | None], tuple[Any, ...]] = {}
    once, copies = [], dict[str, str]()
    for row in rows:
        first = path_of.setdefault(row[_RUN_ID], row[_PATH]) if row[_RUN_ID] else row[_PATH]
        content = tuple(row[at] for at in _SAID)
        if first == row[_PATH]:
            once.append(row)
            if row[_KIND] == "record":  # a log and the record imported from it may round otherwise
                numbers[first, row[_PHASE]] = content
        elif numbers.get((first, row[_PHASE]), content) == content or row[_KIND] != "record":
            copies.setdefault(row[_PATH], f"a copy of {first}, which counts once")
        else:
            copies[row[_PATH]] = (
                f"it has the run id of {first}, which counts, and other numbers: one of the two "
                "was changed; remove that one"
            )
    return once, tuple(Problem(path, reason) for path, reason in sorted(copies.items()))


def _note_copied_logs(
    outcomes: Sequence[LogOutcome], rows: Sequence[tuple[Any, ...]], copies: Sequence[Problem]
) -> None:
    """A log whose run is in a record too did not give the rows that count."""
    if not copies:
        return
    kept = Counter(row[_PATH] for row in rows)
    by_path = {outcome.path: outcome for outcome in outcomes}
    for copy in copies:
        if (outcome := by_path.get(copy.path)) is not None:
            outcome.num_rows = kept[copy.path]
            outcome.left_out.append(copy.reason)


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    rows.clear()
    columns[_SETUP] = _shared(columns[_SETUP], columns[_MERGE_KEY])
    columns[_RECIPE] = _shared(columns[_RECIPE], columns[_RECIPE])
    data: dict[str, Any] = {}
    for index, name in enumerate(COLUMNS):
        values, columns[index] = columns[index], ()
        if name in TEXT_COLUMNS:
            data[name] = pd.Series(values, dtype="category")
        elif name in OBJECT_COLUMNS:
            data[name] = pd.Series(values, dtype=object)
        else:
            data[name] = pd.Series(values, dtype=float)
    frame = pd.DataFrame(data)
    return frame.assign(
        started_s=_seconds(frame["started_at"]), ended_s=_seconds(frame["ended_at"])
    )


def _shared(values: Sequence[Any], keys: Sequence[Any]) -> tuple[Any, ...]:
    """The same object for the same key: many records carry one set-up and one recipe."""
    known: dict[Any, Any] = {}
    return tuple(known.setdefault(key, value) for key, value in zip(keys, values, strict=True))


def _seconds(texts: pd.Series) -> pd.Series:
    """ISO 8601 times in seconds since 1970, a time without an offset taken for UTC; NaN where a
    text is none. Order in time is not order as text: offsets differ."""
    times = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    epoch = pd.Timestamp(0, tz="UTC").as_unit("us")  # nanoseconds end in the year 2262
    return (times.dt.as_unit("us") - epoch).dt.total_seconds()


def find_records(folders: Iterable[Path | str], problems: list[Problem]) -> list[str]:
    """Paths of the records at or under `folders`, each once, in a stable order. Folders that may
    not be looked into are added to `problems`."""
    return _find(folders, problems)[0]


def find_logs(
    folders: Iterable[Path | str], problems: list[Problem] | None = None
) -> list[LogFile]:
    """Logs of other software at or under `folders`, each once, in a stable order. What may not be
    looked into is added to `problems`."""
    return _find(folders, [] if problems is None else problems)[1]


def _find(
    folders: Iterable[Path | str], problems: list[Problem]
) -> tuple[list[str], list[LogFile]]:
    """Paths of records and logs of other software, each once, in a stable order. Folders that
    may not be looked into are added to `problems`."""
    records: set[str] = set()
    seen, tops = Seen(), []
    visited: set[Folder] = set()

    def refuse(path: str, reason: str) -> None:
        problems.append(Problem(path, reason))

    for folder in folders:
        top = Path(folder).expanduser().absolute()
        tops.append(top.parent if top.is_file() else top)
        if top.is_file() and may_be_a_log(top.name):
            beside = [".hydra"] if (top.parent / ".hydra").is_dir() else []
            seen.note(top.parent, beside, [top.name])
        elif top.is_file():
            records.add(str(top))
        for root, folders_below, files in walk(top, visited, _is_wanted, refuse):
            if FILE_NAME in files:
                records.add(os.path.join(root, FILE_NAME))
                seen.own.add(Path(root))
            else:
                seen.note(Path(root), folders_below, files)
    return sorted(records), log_files(seen, tops)


def _is_wanted(name: str) -> bool:
    return name == FILE_NAME or may_be_a_log(name)


Batch = tuple[list[tuple[Any, ...]], list[Problem]]


def _read_all(paths: list[str]) -> Iterator[Batch]:
    processes = min(os.cpu_count() or 1, 4)
    if len(paths) < PARALLEL_FROM or processes == 1:
        yield _read_batch(paths)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    batches = [paths[start : start + 1_000] for start in range(0, len(paths), 1_000)]
    # forked workers have pandas loaded already, which takes a second each; a process with
    # other threads may not fork
    start = "fork" if hasattr(os, "fork") and threading.active_count() == 1 else "spawn"
    with ProcessPoolExecutor(processes, mp_context=get_context(start)) as pool:
        yield from pool.map(_read_batch, batches)


def _read_batch(paths: list[str]) -> Batch:
    rows: list[tuple[Any, ...]] = []
    problems: list[Problem] = []
    with no_collection():
        for path in paths:
            try:
                with open(path, "rb") as stream:
                    rows.extend(rows_of(stream.read(), path))
            except Exception as error:  # one record never ends the command
                problems.append(Problem(path, reason_of(error)))
    return rows, problems


@contextmanager
def no_collection() -> Iterator[None]:
    """Parsed JSON and rows hold no cycles; looking for them costs a quarter of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def reason_of(error: Exception) -> str:
    """Why a file was left out, in one line; an error that no check foresaw names its type."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    message = " ".join(str(error).split())[:200]
    return (
        message
        if isinstance(error, RecordError)
        else f"{UNFORESEEN}{type(error).__name__}: {message}"
    )
