"""The tables of `make tables` as the page's: the same shape, with numbers to sort by and the runs
that each line rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.claims.claim import Claim
from analysis.report.model import Cell, Column, Kind, Table
from analysis.tables.grid import HEADINGS, Grid
from analysis.tables.lines import SETUP_COLUMNS
from analysis.tables.numbers import absent, plain
from analysis.tables.printed import grid_of

KINDS: tuple[Kind, ...] = ("published", "measured", "estimated")
ID_DIGITS = 8
"""Of a run's id: what tells runs apart on one page."""
_SET_UP = ("dataset", *(name for name in SETUP_COLUMNS if name != "scale"))
_HALF_WIDTHS = (
    "estimated_train_kwh_half_width",
    "estimated_gqi_half_width",
    "estimated_test_kwh_half_width",
)
Row = Mapping[Any, Any]


def paper_table(name: str, frame: pd.DataFrame) -> Table:
    """`frame`: a table of `tables.printed`. What the paper's shape has no room for (the set-up,
    half-widths) is in columns that are shown on demand."""
    grid = grid_of(name, frame)
    has_models_as_columns = not any(grid.kinds)
    more = [] if has_models_as_columns else _more(grid)
    columns = [
        Column(heading, _kind(kind), is_number=bool(kind) or heading == HEADINGS["batch_size"])
        for kind, heading in zip(grid.kinds, grid.headings, strict=True)
    ]
    columns += [
        Column(
            HEADINGS[_bare(name)],
            _kind(name.partition("_")[0]),
            name in _HALF_WIDTHS,
            is_main=False,
        )
        for name in more
    ]
    rows = []
    for line, values, shown in zip(grid.cells, grid.values, grid.rows, strict=True):
        cells = [
            Cell(text or ("-" if marks else ""), value, _notes(grid, marks), tuple(marks))
            for (text, marks), value in zip(line, values, strict=True)
        ]
        rows.append((*cells, *(_extra(shown[0], name) for name in more)))
    order = [] if has_models_as_columns else [grid.headings.index(HEADINGS["model"])]
    order += [at for at in range(len(columns)) if at not in order]  # the column that stays
    return Table(
        name,
        grid.title,
        tuple(columns[at] for at in order),
        tuple(tuple(cells[at] for at in order) for cells in rows),
        grid.table_notes,
        empty="No row of this table is known.",
        notes=tuple(grid.footnotes),
        runs=tuple(runs_of(shown) for shown in grid.rows),
    )


def _more(grid: Grid) -> list[str]:
    """Columns of the complete table that the shape leaves out and a line has."""
    rows = [shown[0] for shown in grid.rows]
    wanted = [name for name in _SET_UP if HEADINGS[name] not in grid.headings] + list(_HALF_WIDTHS)
    return [name for name in wanted if any(_has(row.get(name)) for row in rows)]


def _has(value: object) -> bool:
    return not absent(value) and value != ""


def _extra(row: Row, column: str) -> Cell:
    value = row.get(column)
    if not _has(value):
        return Cell("")
    if isinstance(value, int | float):
        return Cell(plain(float(value)), float(value))
    return Cell(str(value))


def _bare(column: str) -> str:
    return column.removeprefix("estimated_")


def _kind(word: str) -> Kind:
    return next((kind for kind in KINDS if kind == word), "")


def _notes(grid: Grid, marks: Sequence[int]) -> str:
    return "; ".join(grid.footnotes[mark - 1] for mark in marks)


def runs_of(rows: Sequence[Row]) -> str:
    """The beginnings of the ids of the runs that these rows rest on."""
    ids = (
        run_id
        for row in rows
        if _has(row.get("run_id"))
        for run_id in str(row["run_id"]).split("; ")
    )
    return " ".join(dict.fromkeys(run_id[:ID_DIGITS] for run_id in ids))


def claims_table(claims: Sequence[Claim]) -> Table:
    """The paper's claims, the numbers that test each, and its verdict."""
    columns = tuple(Column(label) for label in ("where", "claim", "measured here", "verdict"))
    rows = tuple(
        tuple(Cell(text) for text in (claim.place, claim.says, claim.shown, claim.verdict))
        for claim in claims
    )
    return Table("claims-table", "Claims", columns, rows, empty="No claim was tested.")
