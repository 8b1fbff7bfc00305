"""The tables as a person reads them: the paper's columns in its order with ours beside (Table 2:
beneath), at most ten columns, one row a model and hardware. The CSV files have everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.estimates.tiers import TIERS
from analysis.published.facts import TABLE_NOTES
from analysis.records.collection import OWN
from analysis.tables.grid import HEADINGS, TRANSPOSED, Cell, Grid, number, title_of
from analysis.tables.numbers import absent, with_interval
from metering import catalogue

MAX_COLUMNS = 10
PAPERS_BATCH_SIZES = {"table1": 8, "table2": 8, "table3": 32}
"""Watt For What, sections 5.1 to 5.3."""
_PAPERS_QUANTITIES = ("gmacs", "params_m", "train_kwh", "quality", "gqi", "test_kwh")
_IN_TABLE_2 = ("gmacs", "params_m", "train_kwh", "quality", "test_kwh", "gqi")
_OURS = ("train_kwh", "gqi", "test_kwh")
Row = Mapping[Any, Any]


@dataclass
class Footnotes:
    """Texts, each once, with the number that it was given."""

    numbers: dict[str, int] = field(default_factory=dict)

    def marks(self, *texts: str | None) -> list[int]:
        return [self.numbers.setdefault(text, len(self.numbers) + 1) for text in texts if text]


@dataclass(frozen=True)
class Chosen:
    """The set-up that stands for a model on one hardware; `num_others`: how many do not."""

    row: Row
    num_others: int


def shaped(name: str, table: pd.DataFrame) -> Grid:
    """The table of one task in the paper's shape. `table`: of `tables.paper`."""
    task = next((task for task in catalogue.TASKS if task.table == name), None)
    quality = task.quality_key if task else "accuracy_pct"
    chosen = nearest(table, PAPERS_BATCH_SIZES.get(name))
    if name == "table2":
        return _models_as_columns(name, quality, chosen)
    return _rows(name, quality, chosen)


def nearest(table: pd.DataFrame, papers_batch_size: int | None) -> list[Chosen]:
    """One set-up a model and hardware, nearest to the paper's: a user's own before another's,
    no options of the user's, fp32, the paper's batch size, then the surest reading and the most
    runs."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in table.to_dict("records"):
        hardware = _where(row)
        groups.setdefault((row["dataset"], row["model"], hardware), []).append(row)
    return [
        Chosen(min(rows, key=lambda row: _distance(row, papers_batch_size)), len(rows) - 1)
        for rows in groups.values()
    ]


def _distance(row: Row, papers_batch_size: int | None) -> tuple[Any, ...]:
    if absent(row["tier"]):  # published alone
        return ()
    batch = row["batch_size"]
    off = math.inf if absent(batch) else abs(math.log(batch / (papers_batch_size or batch)))
    variant = "" if absent(row["variant"]) else str(row["variant"])
    options = [option for option in variant.split(", ") if option and option != "embedded data"]
    runs = row["measured_num_records"]
    return (
        row["collection"] != OWN,
        len(options),
        row["precision"] != "fp32",
        off,
        TIERS.index(row["tier"]),
        0 if absent(runs) else -runs,
        str(row.get("row_key")),
    )


def _rows(name: str, quality: str, chosen: list[Chosen]) -> Grid:
    """Tables 1 and 3: a line a model and hardware."""
    notes = Footnotes()
    where = _hardware(chosen)
    published = [f"published_{_column(quantity, quality)}" for quantity in _PAPERS_QUANTITIES]
    has_sets = len({setup.row["dataset"] for setup in chosen}) > 1
    ours = _ours(chosen, quality, MAX_COLUMNS - len(published) - 1 - has_sets)
    names = [*(["dataset"] if has_sets else []), "model", *published, *ours]
    lines = []
    for setup in chosen:
        line: list[Cell] = []
        for column in names:
            if column == "dataset":
                line.append((str(setup.row["dataset"]), []))
            elif column == "model":
                line.append(_model(setup, notes, with_hardware=len(where) > 1))
            else:
                line.append(_cell(setup, column, notes))
        lines.append(line)
    kept = [at for at in range(len(names)) if any(line[at][0] for line in lines)]
    values = [[_value(setup.row.get(names[at])) for at in kept] for setup in chosen]
    kinds = [_kind(names[at]) for at in kept]
    heads = [_heading(names[at], quality) for at in kept]
    cells = [[line[at] for at in kept] for line in lines]
    shown = [names[at] for at in kept]
    dropped = (
        "published_gmacs",
        "published_params_m",
        "published_test_kwh",
        "estimated_test_kwh",
        f"published_{quality}",
        "dataset",
        "published_gqi",
        "estimated_gqi",
    )
    return Grid(
        title_of(name) + _on(where),
        kinds,
        heads,
        cells,
        list(notes.numbers),
        left=frozenset((HEADINGS["dataset"], HEADINGS["model"])),
        drop_first=tuple(shown.index(column) for column in dropped if column in shown),
        values=tuple(map(tuple, values)),
        rows=tuple((setup.row,) for setup in chosen),
        table_notes=TABLE_NOTES.get(name, ()),
    )


def _value(value: object) -> float | None:
    return None if absent(value) or not isinstance(value, int | float) else float(value)


def _models_as_columns(name: str, quality: str, chosen: list[Chosen]) -> Grid:
    """Table 2: a column a model of the paper, a block of lines a data set; ours beneath."""
    notes = Footnotes()
    printed = [setup for setup in chosen if not absent(setup.row.get("published_train_kwh"))]
    models = list(dict.fromkeys(setup.row["model"] for setup in printed))[: MAX_COLUMNS - 3]
    cells: list[list[Cell]] = []
    values: list[tuple[float | None, ...]] = []
    rows: list[tuple[Row, ...]] = []

    def add(head: tuple[str, str, str], column: str, of: Mapping[str, Chosen]) -> None:
        """A line of one quantity, where any model has it."""
        is_ours = column == "estimated_train_kwh"
        line = [
            _cell(of[model], column, notes, is_ours) if model in of else ("", [])
            for model in models
        ]
        if head[2] == "estimated" and not any(text or marks for text, marks in line):
            return
        cells.append([*((text, []) for text in head), *line])
        numbers = (_value(of[model].row.get(column)) if model in of else None for model in models)
        values.append((None, None, None, *numbers))
        is_published = head[2] == "published"
        rows.append(() if is_published else tuple(setup.row for setup in of.values()))

    for dataset in dict.fromkeys(setup.row["dataset"] for setup in printed):
        block = [setup for setup in printed if setup.row["dataset"] == dataset]
        first = {setup.row["model"]: setup for setup in reversed(block)}
        for quantity in _IN_TABLE_2:
            column = f"published_{_column(quantity, quality)}"
            add((dataset, _heading(column, quality), "published"), column, first)
        for hardware in _hardware(block):
            on = {setup.row["model"]: setup for setup in block if _where(setup.row) == hardware}
            for column in (f"estimated_{quantity}" for quantity in _OURS):
                head = f"{_heading(column, quality)}, {hardware}"
                add((dataset, head, "estimated"), column, on)
    heads = [HEADINGS["dataset"], *TRANSPOSED, *map(str, models)]
    return Grid(
        title_of(name),
        [""] * len(heads),
        heads,
        cells,
        list(notes.numbers),
        left=frozenset(heads[:3]),
        drop_first=(2, *range(len(heads) - 1, 3, -1)),
        values=tuple(values),
        rows=tuple(rows),
        table_notes=TABLE_NOTES.get(name, ()),
    )


def _hardware(chosen: Iterable[Chosen]) -> list[str]:
    return list(dict.fromkeys(name for name in (_where(setup.row) for setup in chosen) if name))


def _where(row: Mapping[str, Any]) -> str:
    """The hardware profile; of `local`, which may be any machine, what computed there."""
    name, device = ("" if absent(row[key]) else str(row[key]) for key in ("hardware", "device"))
    return device if name == "local" and device else name


def _on(where: list[str]) -> str:
    return f"; ours on {where[0]}" if len(where) == 1 and where[0] else ""


def _ours(chosen: list[Chosen], quality: str, room: int) -> list[str]:
    """Our columns that hold something, as many as there is room for."""
    columns = [f"estimated_{name}" for name in _OURS]
    if all(
        absent(setup.row.get("published_train_kwh")) for setup in chosen
    ):  # no table of the paper
        columns.insert(1, f"measured_{quality}")
    return [name for name in columns if any(not absent(setup.row.get(name)) for setup in chosen)][
        :room
    ]


def _column(quantity: str, quality: str) -> str:
    return quality if quantity == "quality" else quantity


def _kind(column: str) -> str:
    kind = column.partition("_")[0]
    return kind if kind in ("published", "estimated", "measured") else ""


def _heading(column: str, quality: str) -> str:
    bare = column.removeprefix(f"{_kind(column)}_")
    if bare == quality:
        known = (task.quality_name for task in catalogue.TASKS if task.quality_key == quality)
        return f"{next(known, 'Accuracy')} (%)"
    return HEADINGS.get(bare, bare)


def _model(chosen: Chosen, notes: Footnotes, with_hardware: bool) -> Cell:
    name = str(chosen.row["model"])
    if not _where(chosen.row):
        return name, notes.marks(_notes(chosen.row).get("model"))
    text = f"{name}, {_where(chosen.row)}" if with_hardware else name
    return text, notes.marks(setup_words(chosen), _notes(chosen.row).get("model"))


def _cell(chosen: Chosen, column: str, notes: Footnotes, is_first_of_ours: bool = False) -> Cell:
    value = chosen.row.get(column)
    texts = [_notes(chosen.row).get(column)]
    if is_first_of_ours:
        texts += [setup_words(chosen), _notes(chosen.row).get("model")]
    if value is None or absent(value):
        return "", notes.marks(*texts)
    if column.startswith("published_"):
        return number(float(value), column), notes.marks(*texts)
    half_width = chosen.row.get(f"{column}_half_width")
    return with_interval(float(value), half_width), notes.marks(*texts)


def _notes(row: Row) -> Mapping[str, str]:
    return row.get("footnotes") or {}


def setup_words(chosen: Chosen) -> str:
    """The set-up that a row of ours is of, and how many others there are."""
    row = chosen.row
    words: list[tuple[str, Callable[[Any], str]]] = [
        ("hardware", str),
        ("device", str),
        ("batch_size", lambda size: f"batch {size:.0f}"),
        ("precision", str),
        ("variant", str),
        ("tier", lambda tier: f"tier {tier}"),
        ("collection", lambda collection: "" if collection == OWN else f"records: {collection}"),
        ("measured_num_records", lambda runs: f"{runs:.0f} run{'s' * (runs > 1)}"),
    ]
    parts = (say(row[name]) for name, say in words if not absent(row.get(name)))
    text = ", ".join(filter(None, parts))
    if not chosen.num_others:
        return text
    plural = "s" * (chosen.num_others > 1)
    return (
        f"{text}; {chosen.num_others} other set-up{plural} of it on this hardware: in the CSV file"
    )
