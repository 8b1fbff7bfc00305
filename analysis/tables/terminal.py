"""A table on the terminal: whole numbers always, and as many columns as its width has room for."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator

from rich.cells import cell_len

from analysis.errors import printable
from analysis.tables.grid import Grid

_PIPE_WIDTH = 120
_MAX_ROWS = 120
_GAP = 2


def width_of_output() -> int:
    """Columns of the terminal that this is printed on; of a pipe what a page has, or `COLUMNS`."""
    fallback = (_PIPE_WIDTH, 24)
    return shutil.get_terminal_size(fallback).columns if sys.stdout else _PIPE_WIDTH


def show(grid: Grid, notes: bool = False, beneath: Iterable[str] = ()) -> None:
    """Print `grid` in the width of the output, with its footnotes where `notes` are wanted, and
    what else is said `beneath` it."""
    width = width_of_output()
    more = [line for text in beneath for line in _wrapped(printable(text), width)]
    print("\n".join((*lines(grid, width, notes), *more, "")))


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of whole words: a path can be copied."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def lines(grid: Grid, width: int, notes: bool = False) -> Iterator[str]:
    """The table in at most `width` columns where dropping columns can achieve that: no cell is
    ever cut. Says which columns were left out."""
    cells = [[_cell(text, marks, notes) for text, marks in line] for line in grid.cells]
    heads = [_head(kind, head) for kind, head in zip(grid.kinds, grid.headings, strict=True)]
    widths = [
        max(map(cell_len, (*heads[at], *(line[at] for line in cells)))) for at in range(len(heads))
    ]
    shown = _that_fit(widths, width, grid.drop_first)
    yield from textwrap.wrap(printable(grid.title), width)
    left = [grid.headings[at] in grid.left for at in range(len(heads))]

    def row(texts: list[str]) -> str:
        parts = [_padded(texts[at], widths[at], left[at]) for at in shown]
        return (" " * _GAP).join(parts).rstrip()

    yield ""
    for level in range(3):
        if text := row([head[level] for head in heads]):
            yield text
    yield (" " * _GAP).join("-" * widths[at] for at in shown)
    before = None
    for line in cells[:_MAX_ROWS]:
        yield row(_without_repeated(line, before, grid.headings))
        before = line
    yield ""
    if len(cells) > _MAX_ROWS:
        yield f"... and {len(cells) - _MAX_ROWS} more rows in the files; --where keeps fewer"
    if gone := [" ".join(filter(None, heads[at])) for at in range(len(heads)) if at not in shown]:
        note = f"left out for want of width ({width}): {', '.join(gone)}"
        yield from textwrap.wrap(note, width, subsequent_indent="  ")
    if notes:
        for number, text in enumerate(grid.footnotes, 1):
            note = f"{number}. {printable(text)}"
            yield from textwrap.wrap(note, width, subsequent_indent="   ")


def _that_fit(widths: list[int], width: int, drop_first: tuple[int, ...]) -> list[int]:
    shown = list(range(len(widths)))
    for at in drop_first:
        if sum(widths[column] + _GAP for column in shown) - _GAP <= width:
            break
        shown.remove(at)
    for at in reversed(drop_first):  # room may be left for a narrow one
        if (
            at not in shown
            and sum(widths[column] + _GAP for column in (*shown, at)) - _GAP <= width
        ):
            shown.append(at)
    return sorted(shown)


def _head(kind: str, heading: str) -> list[str]:
    """Lines of a heading: what kind of number, its name, its unit."""
    name, bracket, unit = printable(heading).partition(" (")
    return [kind, name, f"({unit}" if bracket else ""]


def _cell(text: str, marks: list[int], notes: bool) -> str:
    shown = printable(" ".join(text.split())) or ("-" if marks else "")
    return f"{shown} [{','.join(map(str, marks))}]" if marks and notes else shown


def _padded(text: str, width: int, left: bool) -> str:
    space = " " * (width - cell_len(text))
    return text + space if left else space + text


def _without_repeated(line: list[str], before: list[str] | None, heads: list[str]) -> list[str]:
    """A data set is named where it begins, as the paper prints it."""
    if before and heads[0] == "Data set" and line[0] == before[0]:
        return ["", *line[1:]]
    return line
