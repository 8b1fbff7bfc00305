"""Rates as a person reads them: a user's own runs, and the studies."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.tables.grid import HEADINGS, STUDIES_TITLE, Cell, Grid
from analysis.tables.numbers import absent, plain, with_interval
from analysis.tables.own import J_PER_KWH, OWN, WH_PER_1000_OF_KWH
from analysis.tables.shape import Footnotes, Row

OWN_TITLE = "Your own runs"
_COLUMNS = (
    ("", "Model"), ("", "Data set"), ("", "Hardware"), ("", "Batch"),
    ("measured", "Train (J/sample)"), ("measured", "Train (samples/s)"),
    ("measured", "Test (Wh/1,000)"), ("estimated", "Train (kWh)"),
    ("", "Tier"), ("", "Sensors"),
)  # fmt: skip
_LEFT = frozenset(("Model", "Data set", "Hardware", "Tier", "Sensors"))
_DROP_FIRST = (9, 3, 1, 2, 8, 5)


def rates(name: str, table: pd.DataFrame) -> Grid:
    """Ten columns of `own.own_table` or of the studies, a row a set-up."""
    notes = Footnotes()
    lines = [_line(row, notes) for row in table.to_dict("records")]
    kept = [
        at for at in range(len(_COLUMNS)) if at == 0 or any(any(line[at]) for line in lines)
    ]  # fmt: skip
    return Grid(
        OWN_TITLE if name == OWN else STUDIES_TITLE,
        [_COLUMNS[at][0] for at in kept],
        [_COLUMNS[at][1] for at in kept],
        [[line[at] for at in kept] for line in lines],
        list(notes.numbers),
        left=_LEFT | {HEADINGS["dataset"]},
        drop_first=tuple(kept.index(at) for at in _DROP_FIRST if at in kept),
    )


def _line(row: Row, notes: Footnotes) -> list[Cell]:
    said = row.get("footnotes") or {}
    variant = "" if absent(row["variant"]) else str(row["variant"])
    kwh = row.get("estimated_train_kwh")
    half_width = row.get("estimated_train_kwh_half_width")
    estimate = "" if kwh is None or absent(kwh) else with_interval(kwh, half_width)
    batch = "" if absent(row["batch_size"]) else f"{row['batch_size']:.0f}"
    return [
        (str(row["model"]), notes.marks(variant, said.get("model"))),
        (str(row["dataset"]), []),
        (_text(row["hardware"]), notes.marks(_text(row["device"]))),
        (batch, []),
        (_rate(row, "train", "j", J_PER_KWH), []),
        (_pace(row), []),
        (_rate(row, "test", "wh", WH_PER_1000_OF_KWH), []),
        (estimate, notes.marks(said.get("estimated_train_kwh"))),
        (_text(row["tier"]), []),
        (short_sensors(_text(row["measured_sensors"])), []),
    ]


def _rate(row: Row, phase: str, unit: str, factor: float) -> str:
    """J a sample or Wh per 1,000, from the row's own column or from its kWh a sample."""
    names = {"j": "j_per_sample", "wh": "wh_per_1000"}
    value = row.get(f"measured_{phase}_{names[unit]}")
    half_width = row.get(f"measured_{phase}_{unit}_half_width")
    if absent(value):
        value, half_width = (
            _times(factor, row.get(f"measured_{phase}_{name}"))
            for name in ("kwh_per_sample", "half_width")
        )
    return "" if value is None or absent(value) else with_interval(value, half_width)


def _pace(row: Row) -> str:
    value = row.get("measured_train_samples_per_s")
    seconds = row.get("measured_train_s_per_sample")
    if absent(value) and seconds and not absent(seconds):
        value = 1 / seconds
    return "" if value is None or absent(value) else plain(value)


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
