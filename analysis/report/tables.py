"""DataFrames of the paper's tables as the page's: kinds kept apart, notes on their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.claims.claim import Claim
from analysis.published import facts as published_facts
from analysis.report.model import Cell, Column, Kind, Table
from analysis.tables.grid import title_of
from analysis.tables.lines import KEY_COLUMNS
from analysis.tables.paper import EXTRA_COLUMNS
from metering import catalogue

KINDS: tuple[Kind, ...] = ("published", "measured", "estimated")
LABELS = {
    "kwh": "kWh", "gqi": "GQI", "gmacs": "GMACs", "params": "parameters,", "m": "M", "pct": "%",
    "top1": "top-1", "miou": "mIoU", "kg": "kg", "co2eq": "CO2eq", "s": "s", "num": "number of",
}  # fmt: skip
# beside the published columns; the others are a click away
MAIN = frozenset((
    "model", "dataset", "hardware", "batch_size", "tier",
    "estimated_train_kwh", "estimated_gqi", "estimated_test_kwh", "measured_top1_pct",
    "measured_miou_pct", "measured_train_kwh_per_sample", "measured_train_half_width",
    "measured_test_kwh_per_sample", "measured_test_half_width",
))  # fmt: skip


def paper_table(name: str, frame: pd.DataFrame) -> Table:
    """`frame`: a table of `tables.paper`, whose column `footnotes` maps columns to notes."""
    left_out = ("footnotes", *EXTRA_COLUMNS, *KEY_COLUMNS)
    shown = [name for name in frame.columns if name not in left_out and _is_used(frame, name)]
    shown.sort(key=lambda name: name != "model")  # the column that stays while the others scroll
    rows = tuple(tuple(_cell(row, column) for column in shown) for row in frame.to_dict("records"))
    return Table(
        name,
        title_of(name),
        tuple(map(_column, shown)),
        rows,
        published_facts.TABLE_NOTES,
        empty="No row of this table is known.",
    )


def _is_used(frame: pd.DataFrame, column: str) -> bool:
    """A column nobody filled says nothing; published columns always stay."""
    return column.startswith("published_") or bool(frame[column].notna().any())


def _column(name: str) -> Column:
    kind: Kind = next((kind for kind in KINDS if name.startswith(kind + "_")), "")
    words = name.removeprefix(f"{kind}_").split("_")
    label = " ".join(LABELS.get(word, word) for word in words)
    is_main = kind == "published" or name in MAIN
    return Column(label, kind, is_number=bool(kind), is_main=is_main)


def claims_table(claims: Sequence[Claim]) -> Table:
    """The paper's claims, what bears on each, and its verdict."""
    columns = tuple(Column(label) for label in ("where", "claim", "measured here", "verdict"))
    rows = tuple(
        tuple(Cell(text) for text in (one.place, one.says, one.shown, one.verdict))
        for one in claims
    )
    return Table("claims-table", "Claims", columns, rows, empty="No claim was tested.")


def _cell(row: Mapping[Any, Any], column: str) -> Cell:
    value = row[column]
    note = str((row.get("footnotes") or {}).get(column, ""))
    if column == "model" and row.get("scale") == "small":
        return Cell(f"{value} * (small)", note=note or "a scaled-down study")
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return Cell("n/a" if note else "", note=note)
    if isinstance(value, bool):
        return Cell("yes" if value else "no", note=note)
    if isinstance(value, int | float):
        if column.startswith("published_") and not note:
            note = "Watt For What, " + _locator(row)
        return Cell(f"{value:.6g}", float(value), note)
    return Cell(str(value), note=note)


def _locator(row: Mapping[Any, Any]) -> str:
    """Which of the paper's tables prints this row."""
    known = catalogue.data_set(row["dataset"])
    task = catalogue.task(known.task) if known else None
    return f"Table {task.table.removeprefix('table')}" if task else ""
