"""Which rows of a table, in which order: `--where`, `--hardware`, `--sort`, `--columns`.

A name means one number everywhere: a column as it is called, or without its prefix our own
(`gqi` is `estimated_gqi`, `train_kwh_per_sample` is `measured_train_kwh_per_sample`). The paper's
numbers are called by their whole name, `published_gqi`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.errors import AnalysisError, unknown
from analysis.estimates.tiers import TIERS
from analysis.tables.lines import KEY_COLUMNS
from analysis.tables.paper import EXTRA_COLUMNS

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CLAUSE = re.compile(r"""^\s*(\w+)\s*(==|!=|>=|<=|>|<)\s*("[^"]*"|'[^']*'|.+?)\s*$""")
_AND = re.compile(r"""\s+and\s+(?=(?:[^"']|"[^"]*"|'[^']*')*$)""")
_OURS = ("estimated_", "measured_")
_BEST_IS_LARGE = ("gqi", "top1", "miou", "samples_per_kwh", "accuracy", "stability", "pareto")
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def column(table: pd.DataFrame, name: str) -> str:
    """The column that `name` means. Raises `AnalysisError` with the nearest names."""
    if name == "footnotes":
        raise AnalysisError("footnotes are no column to choose or sort by; they come with theirs")
    for prefix in ("", *_OURS):
        if prefix + name in table.columns:
            return prefix + name
    if f"published_{name}" in table.columns:
        raise AnalysisError(f"column '{name}' is only published here; call it published_{name}")
    raise unknown("column", name, names_of(table))


def names_of(table: pd.DataFrame) -> list[str]:
    """How its columns are called: ours without their prefix."""
    known = [re.sub("^(estimated|measured)_", "", str(column)) for column in table.columns]
    return list(dict.fromkeys(name for name in known if name != "footnotes"))


@dataclass(frozen=True)
class Clause:
    """name: of a column, as it was typed; symbol: of `_OPERATORS`; text: what it compares with."""

    name: str
    symbol: str
    text: str


def clauses(condition: str) -> list[Clause]:
    """`published_top1_pct > 80 and model != Swin-T`: COLUMN OPERATOR VALUE, joined by `and`; a
    value in quotes may hold anything but them. Nothing is evaluated as code. Raises
    `AnalysisError` for what is no clause."""
    parsed = []
    for clause in _AND.split(condition.strip()):
        match = _CLAUSE.match(clause)
        if match is None:
            raise AnalysisError(
                f"--where '{clause}' is no condition; write it like "
                "'gqi > 0.7 and published_top1_pct > 80'"
            )
        name, symbol, text = match.groups()
        parsed.append(Clause(name, symbol, text.strip("'\"")))
    return parsed


def where(table: pd.DataFrame, wanted: Sequence[Clause]) -> pd.DataFrame:
    """Rows for which every clause holds. Raises `AnalysisError` for an unknown column, or a value
    that `check` refuses."""
    keep = pd.Series(True, index=table.index)
    for clause in wanted:
        values = table[column(table, clause.name)]
        compared: Any = _compared(clause, values)
        keep &= _OPERATORS[clause.symbol](
            values.astype(str) if isinstance(compared, str) else values, compared
        )
        keep &= values.notna()
    return table[keep].reset_index(drop=True)


def check(clause: Clause, values: pd.Series) -> None:
    """Raises `AnalysisError` for a value that nothing in its column can be. values: of the column,
    in every table that has it."""
    compared = _compared(clause, values)
    if not isinstance(compared, str):
        return
    name = clause.name
    known = list(dict.fromkeys(values.dropna().astype(str)))
    if name == "tier":
        known = list(TIERS)
    if not known:
        raise AnalysisError(f"--where: '{name}' stands in no row; leave it out")
    if compared not in known:
        raise unknown(name, compared, [value or "''" for value in known])


def _compared(clause: Clause, values: pd.Series) -> float | bool | str:
    name, symbol, text = clause.name, clause.symbol, clause.text
    if pd.api.types.is_numeric_dtype(values):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise AnalysisError(
                f"--where: {name} is a number and '{text}' is not; write it like '{name} > 80'"
            )
        return number
    if symbol not in ("==", "!="):
        raise AnalysisError(f"--where: {name} is text; compare it with == or !=, not {symbol}")
    if name.endswith("pareto"):
        if text.lower() not in _YES_NO:
            raise AnalysisError(f"--where: {name} is yes or no, not '{text}'")
        return _YES_NO[text.lower()]
    return text


def on_hardware(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Published rows, and the measurements on these hardware profiles only."""
    return table[table["hardware"].isna() | table["hardware"].isin(names)].reset_index(drop=True)


def check_hardware(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raises `AnalysisError` for a profile that nothing was measured on."""
    known = sorted(set(frame["hardware"].dropna().astype(str)))
    for name in names:
        if name not in known:
            if not known:
                raise AnalysisError(f"--hardware {name}: nothing was measured yet; leave it out")
            raise unknown("hardware", name, known)


def ordered(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Best first: what is good when large falls, costs and texts rise; `-NAME` turns it round.
    Absent values come last. Raises `AnalysisError` for an unknown column."""
    bare = name.removeprefix("-")
    key = table[column(table, bare)]
    if bare.endswith("pareto"):
        key = key.map({True: 1.0, False: 0.0}).astype(float)
    is_large = any(word in bare for word in _BEST_IS_LARGE) and not bare.endswith("half_width")
    falling = is_large != name.startswith("-")
    order = key.sort_values(ascending=not falling, kind="stable", na_position="last").index
    return table.loc[order].reset_index(drop=True)


def only(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The row's identity and these columns, with what is noted of them."""
    always = [name for name in ("dataset", "model", "hardware") if name in table.columns]
    wanted = [column(table, name) for name in names]
    gone = set(EXTRA_COLUMNS) - set(wanted)
    return silent(table[list(dict.fromkeys([*always, *wanted, "footnotes"]))], gone)


def unasked(table: pd.DataFrame) -> list[str]:
    """Columns that only a CSV file has, unless `--columns` names them."""
    return [name for name in (*EXTRA_COLUMNS, *KEY_COLUMNS) if name in table.columns]


def without(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """`table` without `columns`, and nothing is noted of them."""
    return silent(table.drop(columns=list(columns)), columns)


def silent(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """`table` without the footnotes of those `columns` that it does not show."""
    gone = set(columns) - set(table.columns)
    kept = [
        {column: text for column, text in notes.items() if column not in gone}
        for notes in table["footnotes"]
    ]
    return table.assign(footnotes=pd.Series(kept, index=table.index, dtype=object))
