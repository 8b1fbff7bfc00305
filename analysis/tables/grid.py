"""A table's DataFrame as a grid of text: headings, cells as printed, numbered footnotes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from metering import catalogue

HEADINGS = {
    "dataset": "Data set", "model": "Model", "hardware": "Hardware", "batch_size": "Batch",
    "precision": "Precision", "data": "Data", "variant": "Variant", "scale": "Scale",
    "gmacs": "GMACs", "params_m": "Params (M)", "train_kwh": "Train (kWh)",
    "top1_pct": "Top-1 (%)", "miou_pct": "mIoU (%)", "gqi": "GQI", "test_kwh": "Test (kWh)",
    "train_kwh_half_width": "Train ± (kWh)", "test_kwh_half_width": "Test ± (kWh)",
    "gqi_half_width": "GQI ±", "rank_stability": "Keeps rank", "accuracy_pct": "Accuracy (%)",
    "device": "Device", "tier": "Tier", "task": "Task", "collection": "Records",
    "published_share_pct": "Of it published (%)",
    "gqi_accuracy": "Accuracy in GQI", "rank": "Rank", "rank_low": "Rank, from",
    "rank_high": "Rank, to", "train_interval": "Train ± holds", "test_interval": "Test ± holds",
    "test_s_per_sample": "Test (s/sample)",
    "train_kwh_per_sample": "Train (kWh/sample)", "train_half_width": "Train ± (kWh/sample)",
    "test_kwh_per_sample": "Test (kWh/sample)", "test_half_width": "Test ± (kWh/sample)",
    "train_s_per_sample": "Train (s/sample)", "num_records": "Records", "sensors": "Sensors",
    "samples_per_kwh": "Samples/kWh", "top1_per_kwh": "Top-1/kWh", "pareto": "Pareto front",
    "pareto_share": "On the front (share)",
    "train_kg_co2eq": "Train (kg CO2eq)", "epochs": "Epochs", "implied_epochs": "Implied epochs",
    "flag": "Flag", "views": "Views",
    "test_gmacs": "Test (GMACs)",
    "train_wall_kwh_per_sample": "Train, wall (kWh/sample)", "train_wall_kwh": "Train, wall (kWh)",
    "train_wall_kwh_half_width": "Train, wall ± (kWh)",
    "net_train_kwh_per_sample": "Train, net (kWh/sample)",
    "net_train_half_width": "Train, net ± (kWh/sample)",
    "net_test_kwh_per_sample": "Test, net (kWh/sample)",
    "net_test_half_width": "Test, net ± (kWh/sample)",
}  # fmt: skip
STUDIES_TITLE = (
    "Studies: rates of scaled-down runs, and of runs at another input size than the recipe's"
)
TRANSPOSED = ("Quantity", "Origin")
"""Headings of the columns that name a line where the models are columns."""
_KINDS = ("published", "measured", "estimated", "diff")


Cell = tuple[str, list[int]]
"""Text, and the numbers of its footnotes."""


@dataclass(frozen=True)
class Grid:
    """A table as text: one kind and heading per column, cells with the marks of their footnotes.

    footnotes: numbered, of single cells; table_notes: of the whole table;
    left: headings of texts, which begin at the left; drop_first: the columns that a narrow terminal
    leaves out, the first to go first; values: of each cell its number, as precise as it is known;
    rows: of each line the rows of the complete table that it shows; of a line
    of published numbers for several models none.
    """

    title: str
    kinds: list[str]
    headings: list[str]
    cells: list[list[Cell]]
    footnotes: list[str]
    left: frozenset[str] = frozenset()
    drop_first: tuple[int, ...] = ()
    values: tuple[tuple[float | None, ...], ...] = ()
    rows: tuple[tuple[Mapping[Any, Any], ...], ...] = ()
    table_notes: tuple[str, ...] = ()


def grid(name: str, table: pd.DataFrame) -> Grid:
    """Text of every cell; columns without any value are left out, footnotes numbered."""
    shown = [c for c in table.columns if c != "footnotes" and not _empty(table[c])]
    numbers: dict[str, int] = {}
    cells = []
    for row in table.to_dict("records"):
        notes = row.get("footnotes") or {}
        unplaced = [text for column, text in notes.items() if column not in shown]
        line = []
        for column in shown:
            texts = [notes[column]] if column in notes else []
            if column == "model":
                texts += unplaced
            marks = [numbers.setdefault(text, len(numbers) + 1) for text in texts]
            line.append((_text(row, column), marks))
        cells.append(line)
    split = [_split(column) for column in shown]
    table_grid = Grid(
        title_of(name), [k for k, _ in split], [h for _, h in split], cells, list(numbers)
    )
    return _models_as_columns(table_grid) if name == "table2" and cells else table_grid


def title_of(name: str) -> str:
    """A table's title by its name, from what the catalogue says of its task."""
    bare = name.removesuffix("_diff")
    title = STUDIES_TITLE if bare == "studies" else bare
    for task in catalogue.TASKS:
        if task.table == bare:
            number = f"Table {bare.removeprefix('table')}. " if bare.startswith("table") else ""
            title = f"{number}{task.title}: electricity, {task.quality_name} and GQI"
    return title if name == bare else f"{title}, ours against the published"


def _models_as_columns(grid: Grid) -> Grid:
    """The layout in which the paper prints Table 2: a block of lines per data set, a line per
    quantity, a column per model. A model with several set-ups has as many columns."""
    at_dataset, at_model = (grid.headings.index(HEADINGS[name]) for name in ("dataset", "model"))
    columns: dict[tuple[str, int], int] = {}
    blocks: dict[str, dict[int, list[Cell]]] = {}
    for line in grid.cells:
        block = blocks.setdefault(line[at_dataset][0], {})
        nth = 0
        while columns.get((line[at_model][0], nth)) in block:
            nth += 1
        block[columns.setdefault((line[at_model][0], nth), len(columns))] = line
    # set-ups of one model stand side by side
    models = list(dict.fromkeys(model for model, _ in columns))
    order = sorted(columns, key=lambda key: (models.index(key[0]), key[1]))
    cells: list[list[Cell]] = []
    for dataset, block in blocks.items():
        lines = [block.get(columns[key]) for key in order]
        for at, (kind, heading) in enumerate(zip(grid.kinds, grid.headings, strict=True)):
            values = [line[at] if line else _NOTHING for line in lines]
            if at == at_model:  # its name stands above; what is noted of it needs a line
                values = [("", marks) for _, marks in values]
            if at != at_dataset and any(text or marks for text, marks in values):
                name = "Notes" if at == at_model else heading
                cells.append([(dataset, []), (name, []), (kind, []), *values])
    heads = [HEADINGS["dataset"], *TRANSPOSED, *(model for model, _ in order)]
    return Grid(grid.title, [""] * len(heads), heads, cells, grid.footnotes)


_NOTHING: Cell = ("", [])


def _empty(column: pd.Series) -> bool:
    return bool(column.isna().all() or (column.astype(str) == "").all())


def _split(column: str) -> tuple[str, str]:
    kind, _, rest = column.partition("_")
    if kind not in _KINDS:
        return "", HEADINGS.get(column, column)
    for task in catalogue.TASKS:
        if rest == task.quality_key:
            return kind, f"{task.quality_name} (%)"
    if kind == "diff":
        return "difference", HEADINGS.get(rest.removesuffix("_pct"), rest).split(" (")[0] + " (%)"
    return kind, HEADINGS.get(rest, rest)


def _text(row: dict[Any, Any], column: str) -> str:
    value = row[column]
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(float(value), column)
    if column == "model" and row.get("scale") == "small":
        return f"{value} [small]"
    return str(value)


def number(value: float, column: str) -> str:
    """Published values as printed; ours to the digits that mean something."""
    if column.startswith("published_") and not column.endswith("per_kwh"):
        return f"{value:.10g}"
    if column.startswith("diff_"):
        return f"{value:+.1f}"
    if column.endswith("half_width"):
        return f"{value:.2g}"
    if "gqi" in column or "stability" in column:
        return f"{value:.3f}"
    if abs(value) < 1e6 and value == int(value):
        return f"{value:.0f}"
    return f"{value:.4g}"
