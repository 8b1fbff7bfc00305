"""A table on the terminal, in a width that can be read: what matters most of its columns."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd

from analysis.errors import printable
from analysis.tables.grid import number

_PIPE_WIDTH = 110
_MAX_ROWS = 120
_HEADINGS = {
    "model": "Model", "dataset": "Data set", "hardware": "Hardware", "batch_size": "Batch",
    "precision": "Precision", "data": "Data", "tier": "Tier",
    "published_train_kwh": "published\nkWh", "published_gqi": "published\nGQI",
    "measured_train_kwh_per_sample": "measured\nkWh/sample",
    "estimated_train_kwh": "estimated\nkWh", "estimated_gqi": "estimated\nGQI",
    "diff_train_kwh_pct": "train\n%", "diff_test_kwh_pct": "test\n%", "diff_gqi_pct": "GQI\n%",
    "flag": "flag",
}  # fmt: skip
_SETTING = ("dataset", "hardware", "batch_size", "precision", "data", "tier")
_LEFT = ("model", "dataset", "hardware", "precision", "data", "tier", "flag")


def show(table: pd.DataFrame, title: str) -> None:
    """Print `table`. A setting that all measured rows share stands in the title instead."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    names = [name for name in _HEADINGS if name in table and not table[name].isna().all()]
    for name in _SETTING:
        if name in names and table[name].nunique() == 1:
            names.remove(name)
            title += f", {name}={_cell(table[table[name].notna()].iloc[0].to_dict(), name)}"
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        side: Any = "left" if name in _LEFT else "right"
        shown.add_column(_HEADINGS[name], justify=side, no_wrap=name != "flag")
    for row in table.head(_MAX_ROWS).to_dict("records"):
        shown.add_row(*(Text(_cell(row, name)) for name in names))
    console.print(shown)
    if len(table) > _MAX_ROWS:
        print(f"... and {len(table) - _MAX_ROWS} more rows in the files; --where keeps fewer")


def _cell(row: dict[Any, Any], name: str) -> str:
    value = row[name]
    if value is None or pd.isna(value):
        return ""
    if name == "model" and row.get("scale") == "small":
        return f"{printable(str(value))} [small]"
    if not isinstance(value, int | float):
        return printable(str(value))
    text = number(float(value), name)
    half_width = row.get(f"{name}_half_width")
    if name == "measured_train_kwh_per_sample":
        half_width = row.get("measured_train_half_width")
    return text if half_width is None or pd.isna(half_width) else f"{text} ± {half_width:.2g}"
