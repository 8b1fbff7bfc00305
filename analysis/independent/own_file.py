"""A user's own file of measured energies, beside those that others published.

A CSV file in UTF-8 with the columns `NEEDED`; `OPTIONAL` may be there too. What would be compared
with the wrong thing, or silently with nothing, is refused in one line.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from pandas.errors import EmptyDataError, ParserError, ParserWarning

from analysis.errors import AnalysisError
from analysis.independent.facts import checked, energy, require
from analysis.independent.sets import LEAST_COMMON, energy_sets, one_a_network
from analysis.published.counts import at_own_size

NEEDED = ("row", "phase", "scope", "hardware", "num_samples", "energy_j", "source", "licence")
OPTIONAL = {
    "framework": "",
    "batch_size": float("nan"),
    "precision": "",
    "duration_s": float("nan"),
    "num_gpus": 1.0,
    "input_size": float("nan"),
    "gpu_util_pct": float("nan"),
    "use": "",
    "locator": "",
    "note": "",
}
"""Column -> what an empty cell means; an empty `use` follows from `gpu_util_pct`."""
BUSY_PCT, WAITING_PCT = 70.0, 20.0
J_PER_OPERATION = (1e-13, 1e-7)
"""Joules an image over 2 x GMACs. The shipped rows, a pass or a training step, lie at 1e-11 to
2e-9."""
POWER_W = (0.1, 1e6)
WHOLE = ("num_samples", "batch_size", "num_gpus", "input_size")
NOTES = 3
"""Sets that are named one by one."""
REPEATS = ("row", "phase", "scope", "hardware", "framework", "batch_size", "precision", "num_gpus",
           "use", "source")  # fmt: skip


def with_files(paths: Sequence[str]) -> pd.DataFrame:
    """`facts.energy()` and the rows of a user's own CSV files, named in the column `file`.

    Raises `AnalysisError` with one line that names the file, the row or column, and the cure.
    """
    own = [read_file(path).assign(file=path) for path in dict.fromkeys(paths)]
    return pd.concat([energy(), *own], ignore_index=True) if own else energy()


def notes(energies: pd.DataFrame) -> Iterator[str]:
    """A line for each set of a user's that is too small for a cross-check, and one for rows in no
    set. `energies`: as `with_files` gives them."""
    few = []
    own = energies[energies["file"] != ""]
    if num_idle := int((own["use"] == "idle").sum()):
        yield (
            f"--independent: {num_idle} of {len(own)} rows are idle (gpu_util_pct under "
            f"{WAITING_PCT:.0f}, or said to be) and compared with nothing"
        )
    for own_set in energy_sets(own):
        rows = [row for row in own_set.values.index if row in at_own_size().index]
        count = len(one_a_network(rows))
        if count < LEAST_COMMON:
            few.append(
                f"--independent: {own_set.phase} on {own_set.name} has {count} network"
                f"{'s' * (count != 1)} of Table 3; with {LEAST_COMMON} it is a set that the "
                "paper's numbers are compared with"
            )
    yield from few[:NOTES]
    if len(few) > NOTES:
        yield f"--independent: {len(few) - NOTES} more sets have fewer than {LEAST_COMMON}"


def read_file(path: str) -> pd.DataFrame:
    """The rows of one file, repeated measurements pooled. Raises `AnalysisError`."""
    name = f"--independent {path}"
    if Path(path).exists() and not Path(path).is_file():  # opening a FIFO or a device may hang
        raise AnalysisError(f"{name} is no regular file; give a CSV file in UTF-8")
    try:
        _require_columns([str(column).strip() for column in _read(path, nrows=0)], name)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            frame = _read(path)
    except ParserWarning:
        raise AnalysisError(
            f"{name}: lines have more cells than the heading; give a cell for each column"
        ) from None
    except (OSError, UnicodeError, ParserError, EmptyDataError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise AnalysisError(f"{name}: {reason}; give a CSV file in UTF-8") from None
    frame.columns = [str(column).strip() for column in frame.columns]
    frame = frame.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)
    frame = frame.mask(frame == "").dropna(how="all")
    if frame.empty:
        raise AnalysisError(f"{name} has no line of numbers; give one line a measurement")
    for column, value in OPTIONAL.items():
        empty = "" if value == "" else None
        frame[column] = frame[column].fillna(empty) if column in frame else empty
    _require_numbers(frame, name)
    frame["num_gpus"] = frame["num_gpus"].fillna(OPTIONAL["num_gpus"])
    frame["use"] = frame["use"].where(frame["use"] != "", _use(frame["gpu_util_pct"]))
    frame = checked(frame[[*NEEDED, *OPTIONAL]], name)
    for column in WHOLE:
        is_whole = frame[column].isna() | (frame[column] % 1 == 0)
        require(frame, is_whole, f"{column} is no whole number", name)
    _require_rows(frame, name)
    _require_plausible(frame, name)
    return _pooled(frame, name)


def _read(path: str, nrows: int | None = None) -> pd.DataFrame:
    """Every cell as text, empty lines as rows of nothing, so that a row's place tells its line."""
    return pd.read_csv(
        path,
        keep_default_na=False,
        na_values=[""],
        encoding="utf-8-sig",
        skip_blank_lines=False,
        index_col=False,
        dtype=str,
        nrows=nrows,
    )


def _require_columns(columns: Sequence[str], name: str) -> None:
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        wrong = " (columns are separated by commas)" if len(columns) == 1 else ""
        raise AnalysisError(
            f"{name}: no column '{missing[0]}'; it needs {', '.join(NEEDED)}{wrong}"
        )
    known = (*NEEDED, *OPTIONAL)
    for column in columns:
        if column in known:
            continue
        near = difflib.get_close_matches(column.split(".")[0].lower(), known, n=1, cutoff=0.8)
        if near:
            raise AnalysisError(f"{name}: column '{column}' is unknown; did you mean '{near[0]}'?")


def _require_numbers(frame: pd.DataFrame, name: str) -> None:
    """Makes numbers of the optional ones; a word among them is no missing number."""
    for column, value in OPTIONAL.items():
        if value != "":
            numbers = pd.to_numeric(frame[column], errors="coerce")
            is_share = column == "gpu_util_pct"
            good = numbers.between(0, 100) if is_share else (numbers > 0) & (numbers < float("inf"))
            range_words = "a number from 0 to 100" if is_share else "a number above 0"
            require(frame, frame[column].isna() | good, f"{column} is not {range_words}", name)
            frame[column] = numbers


def _use(busy_pct: pd.Series) -> pd.Series:
    use = pd.Series("yes", index=busy_pct.index)
    use[busy_pct < BUSY_PCT] = "data-bound"
    use[busy_pct < WAITING_PCT] = "idle"
    return use


def _plain(row: str) -> str:
    return "".join(letter for letter in row.casefold() if letter.isalnum())


def _require_rows(frame: pd.DataFrame, name: str) -> None:
    """A row is one of Table 3, at its own image size, or clearly a network of the user's own."""
    sizes = at_own_size()["image_size_px"]
    spelled = {_plain(row): row for row in sizes.index}
    for at, row in frame["row"].items():
        right = spelled.get(_plain(row), row)
        only_this = pd.Series(frame.index != at, index=frame.index)
        if right != row:
            require(frame, only_this, f"Table 3 spells it '{right}'", name)
        asked = frame.loc[at, "input_size"]
        if row in sizes.index and pd.notna(asked) and asked != sizes[row]:
            require(
                frame,
                only_this,
                f"input_size {asked:g} is not the row's own {sizes[row]}: another workload; "
                "leave the line out",
                name,
            )


def _require_plausible(frame: pd.DataFrame, name: str) -> None:
    """Units cannot be seen; what no hardware takes can."""
    operations = 2e9 * frame["row"].map(at_own_size()["gmacs"])
    each = frame["j_per_sample"] / operations
    for good, how in (
        (~(each < J_PER_OPERATION[0]), "less"),
        (~(each > J_PER_OPERATION[1]), "more"),
    ):
        require(
            frame,
            good,
            f"its J an image are {how} than any hardware takes; energy_j is in joules (1 kWh is "
            "3600000 J), num_samples counts images",
            name,
        )
    power_w = frame["energy_j"] / frame["duration_s"]
    require(
        frame,
        ~((power_w < POWER_W[0]) | (power_w > POWER_W[1])),
        "energy_j / duration_s is no power of a computer; they are in joules and seconds",
        name,
    )


def _pooled(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Measurements of one row in one set-up are one: energies and images are added up. A line that
    is there twice, word for word, is a mistake."""
    require(frame, ~frame.duplicated(), "an earlier line says the same, word for word", name)
    first = {column: "first" for column in frame.columns if column not in REPEATS}
    added = {column: "sum" for column in ("num_samples", "energy_j")}
    whole = frame.groupby(list(REPEATS), sort=False, dropna=False, as_index=False).agg(
        first | added | {"duration_s": lambda of: of.sum(min_count=len(of))}
    )
    return whole[frame.columns].assign(j_per_sample=whole["energy_j"] / whole["num_samples"])
