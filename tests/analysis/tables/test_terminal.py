"""A table on the terminal never cuts a digit: it drops columns, and says which."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from analysis.tables.grid import Grid
from analysis.tables.terminal import lines

GRID = Grid(
    "Runs",
    ["", "measured", "estimated", ""],
    ["Model", "Train (J/sample)", "Train (kWh)", "Sensors"],
    [
        [("Swin-T", [1]), ("3.600 ± 0.072", []), ("384.4 ± 7.7", []), ("GPU counter", [])],
        [("视觉模型", []), ("123456.789 ± 0.001", []), ("", [2]), ("GPU power", [])],
    ],
    ["one note", "why there is none"],
    left=frozenset(("Model", "Sensors")),
    drop_first=(3, 2),
)


@pytest.mark.parametrize("width", [40, 50, 60, 200])
def test_whole_numbers_in_the_width_that_there_is(width: int) -> None:
    shown = list(lines(GRID, width))
    assert all(cell_len(line) <= width for line in shown)
    assert "123456.789 ± 0.001" in "\n".join(shown)


def test_what_was_dropped_is_named_the_first_to_go_first() -> None:
    narrow = " ".join(" ".join(lines(GRID, 40)).split())
    assert "left out for want of width (40): estimated Train (kWh), Sensors" in narrow
    assert "384.4" not in narrow
    middle = "\n".join(lines(GRID, 50))
    assert "384.4 ± 7.7" in middle and "GPU counter" not in middle
    assert "left out" not in "\n".join(lines(GRID, 200))


def test_what_cannot_be_dropped_is_never_cut() -> None:
    assert "123456.789 ± 0.001" in "\n".join(lines(GRID, 10))


def test_notes_stand_beneath_where_they_are_wanted() -> None:
    assert "2. why there is none" in list(lines(GRID, 80, notes=True))
    assert "one note" not in "\n".join(lines(GRID, 80))
