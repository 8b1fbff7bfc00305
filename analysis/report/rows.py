"""Provenance by row: what each merged row rests on, its set-up, sensors and runs, and how it stands
to what other people measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.report.model import Cell, Column, Kind, Table
from analysis.report.tables import Row, runs_of
from analysis.tables.numbers import absent, plain, with_interval
from analysis.tables.own import J_PER_KWH, OWN, WH_PER_1000_OF_KWH
from analysis.tables.shape_rates import short_sensors

_PHASES = ("train", "test")
_COLUMNS = (
    ("model", "", True), ("set-up", "", True), ("device", "", True), ("tier", "", True),
    ("records", "", True), ("runs", "", True),
    ("training, J a sample", "measured", True), ("testing, Wh per 1,000", "measured", True),
    ("accuracy, %", "measured", False), ("whole recipe, kWh", "estimated", True),
    ("published share, %", "estimated", False), ("GQI", "estimated", False),
    ("rank (95 %)", "estimated", True), ("Pareto front", "estimated", False),
    *(
        (f"{name}, {words}", "independent", is_main)
        for name in ("training", "testing")
        for words, is_main in (
            ("GPU alone over one board's", False), ("ratio over its neighbours'", True),
            ("sets", False), ("whose energy", False), ("mark", True),
        )
    ),
    ("sensors", "", True), ("run ids", "", True), ("what must be said of it", "", False),
)  # fmt: skip
_NUMBERS = frozenset(
    label for label, kind, _ in _COLUMNS if kind and "whose" not in label and "mark" not in label
)


def rows_table(tables: Mapping[str, pd.DataFrame]) -> Table:
    """A line for every row that anything was measured for, whatever its table. `tables`: of
    `tables.printed.tables_of`."""
    rows: list[Row] = []
    for name, frame in tables.items():
        if name != OWN:  # each of its rows is in its task's table, or among the studies
            rows += frame[frame["hardware"].notna()].to_dict("records")
    columns = tuple(
        Column(label, _kind(kind), label in _NUMBERS, is_main) for label, kind, is_main in _COLUMNS
    )
    notes = (
        "ratio over its neighbours': the row's energy to what others measured of its network, over "
        "the median of that ratio in its set-up (five networks or more): 1 is as costly as theirs",
        "GPU alone over one board's: what the GPUs took here over what the GPU of one board of "
        "others took: another board, so no error by itself",
    )
    return Table(
        "rows-table",
        "Rows",
        columns,
        tuple(map(_cells, rows)),
        notes,
        "Nothing was measured.",
        runs=tuple(runs_of([row]) for row in rows),
    )


def _kind(word: str) -> Kind:
    known: dict[str, Kind] = {
        "measured": "measured",
        "estimated": "estimated",
        "independent": "independent",
    }
    return known.get(word, "")


def _cells(row: Row) -> tuple[Cell, ...]:
    batch = "" if absent(row["batch_size"]) else f"batch {row['batch_size']:.0f}"
    words = (row["dataset"], batch, _text(row["precision"]), _text(row["variant"]))
    set_up = ", ".join(filter(None, words))
    ids = _text(row["run_id"]).split("; ")
    notes = (row.get("footnotes") or {}).items()
    return (
        Cell(str(row["model"])),
        Cell(set_up),
        Cell(_text(row["device"])),
        Cell(_text(row["tier"])),
        Cell(_text(row["collection"])),
        Cell(str(len(ids)), float(len(ids))),
        _rate(row, "train", J_PER_KWH),
        _rate(row, "test", WH_PER_1000_OF_KWH),
        _accuracy(row),
        _number(row, "estimated_train_kwh"),
        _number(row, "estimated_published_share_pct"),
        _number(row, "estimated_gqi"),
        _rank(row),
        _front(row),
        *(cell for phase in _PHASES for cell in _independent(row, phase)),
        Cell(short_sensors(_text(row.get("measured_sensors")))),
        Cell(" ".join(ids)),
        Cell("; ".join(text for _, text in notes)),
    )


def _text(value: Any) -> str:
    return "" if value is None or absent(value) else str(value)


def _value(row: Row, column: str) -> float | None:
    value = row.get(column)
    return None if value is None or absent(value) else float(value)


def _number(row: Row, column: str) -> Cell:
    value = _value(row, column)
    if value is None:
        return Cell("")
    return Cell(with_interval(value, _value(row, f"{column}_half_width")), value)


def _rate(row: Row, phase: str, factor: float) -> Cell:
    rate = _value(row, f"measured_{phase}_kwh_per_sample")
    half_width = _value(row, f"measured_{phase}_half_width")
    if rate is None:
        return Cell("")
    text = with_interval(factor * rate, None if half_width is None else factor * half_width)
    return Cell(text, factor * rate, f"± holds: {row.get(f'measured_{phase}_interval')}")


def _accuracy(row: Row) -> Cell:
    for name in ("measured_top1_pct", "measured_miou_pct", "measured_accuracy_pct"):
        if (value := _value(row, name)) is not None:
            return Cell(plain(value), value)
    return Cell("")


def _rank(row: Row) -> Cell:
    rank = _value(row, "estimated_rank")
    if rank is None:
        return Cell("")
    low, high = row["estimated_rank_low"], row["estimated_rank_high"]
    return Cell(f"{rank:.0f} ({low:.0f} to {high:.0f})", rank)


def _front(row: Row) -> Cell:
    on_front = row.get("estimated_pareto")
    return Cell("" if on_front is None or absent(on_front) else "yes" if on_front else "no")


def _independent(row: Row, phase: str) -> tuple[Cell, ...]:
    of = f"independent_{phase}_"
    verdict = _text(row.get(f"{of}check_ours"))
    numbers = [
        Cell("" if value is None else plain(value), value)
        for value in (_value(row, f"{of}{name}_ours") for name in ("ratio", "normalised"))
    ]
    sets = _value(row, f"{of}num_sets_ours")
    return (
        *numbers,
        Cell("" if sets is None else f"{sets:.0f}", sets),
        Cell(_text(row.get(f"{of}scopes_ours"))),
        Cell(_text(row.get(f"{of}mark_ours")), note=verdict),
    )
