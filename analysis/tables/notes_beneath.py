"""What is said beneath a table on the terminal, whose footnotes are in the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.tables.grid import Grid
from analysis.tables.lines import KEPT_BATCHES
from analysis.tables.numbers import absent

_WITH_FOOTNOTES = ("md", "html", "tex")


def lines(
    name: str, table: pd.DataFrame, grid: Grid, folder: Path, formats: Sequence[str]
) -> Iterator[str]:
    """How many notes the rows of ours carry and in which file they are; where decoding is in no
    number of theirs, that too. Nothing without a row of ours. grid: `table` as it is printed;
    folder, formats: as it was written."""
    shown = [row for of_line in grid.rows for row in of_line] or table.to_dict("records")
    ours = list({id(row): row for row in shown if _is_ours(row)}.values())
    if not ours:
        return
    marks = _marks(grid)
    if marks:
        numbered = [kind for kind in _WITH_FOOTNOTES if kind in formats]
        where = f"{folder}/{name}.{(*numbered, *formats)[0]}"
        plural, verb = ("s", "are") if len(marks) > 1 else ("", "is")
        column = "" if numbered else ", column footnotes"
        yield f"{len(marks)} note{plural} on rows measured here {verb} in {where}{column}"
    for text, number in _kept(ours).items():
        yield f"{number} of {len(ours)} rows measured here: {text}"


def _is_ours(row: Mapping[Any, Any]) -> bool:
    return not absent(row.get("hardware"))


def _marks(grid: Grid) -> set[int]:
    """Footnotes that lines with a row of ours carry; of a grid that does not say, all."""
    if not grid.rows:
        return set(range(len(grid.footnotes)))
    return {
        mark
        for line, rows in zip(grid.cells, grid.rows, strict=True)
        if any(map(_is_ours, rows))
        for _, marks in line
        for mark in marks
    }


def _kept(ours: Sequence[Mapping[Any, Any]]) -> dict[str, int]:
    """Notes on batches that were kept -> number of rows with it."""
    numbers: dict[str, int] = {}
    for row in ours:
        for text in (row.get("footnotes") or {}).get("model", "").split("; "):
            if text.startswith(KEPT_BATCHES):
                numbers[text] = numbers.get(text, 0) + 1
    return numbers
