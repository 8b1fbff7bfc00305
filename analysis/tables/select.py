"""Which rows of a table, in which order: `--where`, `--hardware`, `--sort`, `--columns`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from analysis.errors import AnalysisError, unknown

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, ">=": operator.ge,
    "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_CLAUSE = re.compile(r"^\s*(\w+)\s*(==|!=|>=|<=|>|<)\s*(.+?)\s*$")
_PREFIXES = ("", "published_", "estimated_", "measured_")
_DESCENDING = ("gqi", "top1", "miou", "samples_per_kwh", "accuracy", "stability", "pareto")


def column(table: pd.DataFrame, name: str) -> str:
    """The column that `name` means: itself, or the published, estimated or measured one.
    Raises `AnalysisError` with the nearest names."""
    for prefix in _PREFIXES:
        if prefix + name in table.columns:
            return prefix + name
    bare = [re.sub("^(published|estimated|measured)_", "", str(one)) for one in table.columns]
    raise unknown("column", name, dict.fromkeys(one for one in bare if one != "footnotes"))


def where(table: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Rows for which every clause holds: `top1_pct > 80 and model != Swin-T`.

    A clause is COLUMN OPERATOR VALUE; clauses are joined by `and`. Nothing is evaluated as
    code. Raises `AnalysisError` for an unknown column or model, or what is no clause.
    """
    keep = pd.Series(True, index=table.index)
    for clause in re.split(r"\s+and\s+", condition.strip()):
        match = _CLAUSE.match(clause)
        if match is None:
            raise AnalysisError(
                f"--where '{clause}' is no condition; write it like 'top1_pct > 80 and gqi > 0.7'"
            )
        name, symbol, text = match.groups()
        values = table[column(table, name)]
        keep &= _holds(values, name, symbol, text.strip("'\""))
    return table[keep].reset_index(drop=True)


def _holds(values: pd.Series, name: str, symbol: str, text: str) -> pd.Series:
    compare = _OPERATORS[symbol]
    if pd.api.types.is_numeric_dtype(values):
        try:
            number = float(text)
        except ValueError:
            raise AnalysisError(
                f"--where: {name} is a number and '{text}' is not; write it like '{name} > 80'"
            ) from None
        return compare(values, number) & values.notna()
    if symbol not in ("==", "!="):
        raise AnalysisError(f"--where: {name} is text; compare it with == or !=, not {symbol}")
    if name == "model" and text not in set(values):
        raise unknown("model", text, dict.fromkeys(values))
    return compare(values.astype(str), text)


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
    """Best first: what is good when large falls, costs rise; `-NAME` turns it round.

    A name without prefix sorts by our estimate where there is one, by the published value
    elsewhere; the columns themselves stay apart. Absent values come last.
    """
    bare = name.removeprefix("-")
    falling = any(word in bare for word in _DESCENDING) != name.startswith("-")
    key = table[column(table, bare)]
    ours = f"estimated_{bare}"
    if ours in table.columns and ours != bare:
        key = table[ours].where(table[ours].notna(), key)
    order = key.sort_values(ascending=not falling, kind="stable", na_position="last").index
    return table.loc[order].reset_index(drop=True)


def only(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The row's identity and these columns."""
    always = [name for name in ("dataset", "model", "hardware") if name in table.columns]
    wanted = [column(table, name) for name in names]
    kept = list(dict.fromkeys([*always, *wanted, "footnotes"]))
    return table[kept]


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
