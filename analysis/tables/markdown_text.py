"""Markdown as a command prints it: as it is into a file or a pipe, in a terminal's width on one."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.errors import printable
from analysis.tables.terminal import width_of_output

_BAR = re.compile(r"(?<!\\)\|")
_GAP = 2


def show_markdown(text: str) -> None:
    """Print Markdown. On a terminal a table wider than it has its long cells wrapped between words,
    unless it has too many columns for that."""
    if not sys.stdout.isatty():
        print(text, end="" if text.endswith("\n") else "\n")
        return
    width = width_of_output()
    console = Console(width=width, height=25, highlight=False)  # without both: 80 if TERM=dumb
    lines = [printable(line) for line in text.splitlines()]
    for is_table, group in groupby(lines, key=lambda line: line.startswith("|")):
        block = list(group)
        table = _table(block, width) if is_table else None
        for part in (table,) if table else map(Text, block):
            console.print(part)


def _table(lines: list[str], width: int) -> Table | None:
    """None where not even the longest words of its columns have room beside each other. The second
    line is the rule beneath the headings, whose colons align the columns."""
    heads, rule, *rows = map(_cells, lines)
    least = [
        max(cell_len(word) for cell in column for word in cell.split() or [""])
        for column in zip(heads, *rows, strict=True)
    ]
    if sum(least) + _GAP * len(least) > width:
        return None
    is_wrapped = max(map(len, lines)) > width
    table = Table(box=box.SIMPLE_HEAD, show_lines=is_wrapped, padding=(0, _GAP, 0, 0),
                  pad_edge=False, show_edge=False)  # fmt: skip
    for head, mark, min_width in zip(heads, rule, least, strict=True):
        is_number = mark.endswith(":") and not mark.startswith(":")
        justify: Literal["left", "right"] = "right" if is_number else "left"
        table.add_column(Text(head), justify=justify, min_width=min_width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(line.strip())[1:-1]]
