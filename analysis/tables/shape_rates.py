"""Rates as a person reads them: a user's own runs, and the studies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from analysis.tables.grid import HEADINGS, STUDIES_TITLE, Cell, Grid
from analysis.tables.numbers import absent, plain, with_interval
from analysis.tables.own import J_PER_KWH, OWN, WH_PER_1000_OF_KWH
from analysis.tables.shape import Footnotes, Row

OWN_TITLE = "Your own runs"
_COLUMNS = (
    ("", "Model"),
    ("", "Data set"),
    ("", "Hardware"),
    ("", "Batch"),
    ("measured", "Train (J/sample)"),
    ("measured", "Train (samples/s)"),
    ("measured", "Test (Wh/1,000)"),
    ("estimated", "Train (kWh)"),
    ("", "Tier"),
    ("", "Sensors"),
)
_LEFT = frozenset(("Model", "Data set", "Hardware", "Tier", "Sensors"))
_DROP_FIRST = (9, 3, 1, 2, 8, 5)


def rates(name: str, table: pd.DataFrame) -> Grid:
    """Ten columns of `own.own_table` or of the studies, a row a set-up."""
    notes = Footnotes()
    rows = table.to_dict("records")
    lines = [_line(row, notes) for row in rows]
    values = [[_number(row, at) for at in range(len(_COLUMNS))] for row in rows]
    kept = [at for at in range(len(_COLUMNS)) if at == 0 or any(any(line[at]) for line in lines)]
    return Grid(
        OWN_TITLE if name == OWN else STUDIES_TITLE,
        [_COLUMNS[at][0] for at in kept],
        [_COLUMNS[at][1] for at in kept],
        [[line[at] for at in kept] for line in lines],
        list(notes.numbers),
        left=_LEFT | {HEADINGS["dataset"]},
        drop_first=tuple(kept.index(at) for at in _DROP_FIRST if at in kept),
        values=tuple(tuple(line[at] for at in kept) for line in values),
        rows=tuple((row,) for row in rows),
    )


def _line(row: Row, notes: Footnotes) -> list[Cell]:
    footnotes = row.get("footnotes") or {}
    variant = "" if absent(row["variant"]) else str(row["variant"])
    collection = _text(row["collection"])
    bundle = collection if collection.startswith("bundle ") else ""
    kwh = row.get("estimated_train_kwh")
    half_width = row.get("estimated_train_kwh_half_width")
    estimate = "" if kwh is None or absent(kwh) else with_interval(kwh, half_width)
    batch = "" if absent(row["batch_size"]) else f"{row['batch_size']:.0f}"
    return [
        (str(row["model"]), notes.marks(variant, bundle, footnotes.get("model"))),
        (str(row["dataset"]), []),
        (_text(row["hardware"]), notes.marks(_text(row["device"]))),
        (batch, []),
        (_rate(row, "train", "j", J_PER_KWH), []),
        (_pace(row), []),
        (_rate(row, "test", "wh", WH_PER_1000_OF_KWH), []),
        (estimate, notes.marks(footnotes.get("estimated_train_kwh"))),
        (_text(row["tier"]), []),
        (short_sensors(_text(row["measured_sensors"])), []),
    ]


def _number(row: Row, at: int) -> float | None:
    """The number that the column shows, None of a text."""
    numbers: dict[str, Callable[[], float | None]] = {
        "Batch": lambda: _float(row["batch_size"]),
        "Train (J/sample)": lambda: _rate_of(row, "train", "j", J_PER_KWH)[0],
        "Train (samples/s)": lambda: _pace_of(row),
        "Test (Wh/1,000)": lambda: _rate_of(row, "test", "wh", WH_PER_1000_OF_KWH)[0],
        "Train (kWh)": lambda: _float(row.get("estimated_train_kwh")),
    }
    return numbers[heading]() if (heading := _COLUMNS[at][1]) in numbers else None


def _rate_of(row: Row, phase: str, unit: str, factor: float) -> tuple[float | None, float | None]:
    """J a sample or Wh per 1,000 and its half-width, from the row's own column or from its kWh a
    sample."""
    names = {"j": "j_per_sample", "wh": "wh_per_1000"}
    value = _float(row.get(f"measured_{phase}_{names[unit]}"))
    if value is not None:
        return value, _float(row.get(f"measured_{phase}_{unit}_half_width"))
    per_sample, half_width = (
        _times(factor, row.get(f"measured_{phase}_{name}"))
        for name in ("kwh_per_sample", "half_width")
    )
    return per_sample, half_width


def _rate(row: Row, phase: str, unit: str, factor: float) -> str:
    value, half_width = _rate_of(row, phase, unit, factor)
    return "" if value is None else with_interval(value, half_width)


def _pace_of(row: Row) -> float | None:
    value = _float(row.get("measured_train_samples_per_s"))
    seconds = _float(row.get("measured_train_s_per_sample"))
    return 1 / seconds if value is None and seconds else value


def _pace(row: Row) -> str:
    value = _pace_of(row)
    return "" if value is None else plain(value)


def _float(value: Any) -> float | None:
    return None if absent(value) else float(value)


def _times(factor: float, value: Any) -> float | None:
    return None if absent(value) else factor * float(value)


def _text(value: object) -> str:
    return "" if absent(value) else str(value)


def short_sensors(text: str) -> str:
    """`CPU modelled, RAM modelled` as `CPU+RAM modelled`."""
    by_how: dict[str, list[str]] = {}
    for part in filter(None, text.split(", ")):
        name, _, how = part.partition(" ")
        by_how.setdefault(how, []).append(name)
    return ", ".join(f"{'+'.join(names)} {how}" for how, names in by_how.items())
