"""The runs of a folder, a line each: what `show` prints where it is given more than one."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.tables.grid import Cell, Grid
from analysis.tables.numbers import absent, with_interval
from analysis.tables.own import J_PER_KWH

HEADINGS = ["Model", "Batch", "Device", "Status", "Began (UTC)", "Train (J/sample)",
            "Test (J/sample)", "Run", "Folder"]  # fmt: skip
LEFT = frozenset({"Model", "Device", "Status", "Began (UTC)", "Run", "Folder"})
DROP_FIRST = ("Folder", "Device", "Batch", "Began (UTC)")
HOW_TO_SEE_ONE = (
    "one run on a page: python -m analysis show RUN, with its folder or the beginning of its id"
)
FLAGGED = "†: the meter flagged something; the run's own page says what"


def listing(name: str, frame: pd.DataFrame) -> Grid:
    """One line per run of `frame`, oldest first, with the energy of one sample; `name`: what the
    folders of the runs are relative to."""
    runs = frame.groupby(["path", "run_id"], sort=False, observed=True, dropna=False)
    rows = sorted(([*run.to_dict("records")] for _, run in runs), key=_began)
    counts = Counter(str(phases[0]["status"]) for phases in rows)
    counted = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    is_flagged = any(map(_is_flagged, rows))
    return Grid(
        title=f"{len(rows)} runs: {counted}",
        kinds=[""] * len(HEADINGS),
        headings=HEADINGS,
        cells=[_cells(name, phases) for phases in rows],
        footnotes=[FLAGGED] if is_flagged else [],
        left=LEFT,
        drop_first=tuple(HEADINGS.index(heading) for heading in DROP_FIRST),
    )


def _began(phases: list[dict[Any, Any]]) -> str:
    return str(phases[0]["started_at"] or "")


def _cells(name: str, phases: list[dict[Any, Any]]) -> list[Cell]:
    first = phases[0]
    batch = "" if absent(first["batch_size"]) else str(int(first["batch_size"]))
    mark = " †" if _is_flagged(phases) else ""
    joules = {str(row["phase"]): _joules(row) for row in phases}
    folder = os.path.relpath(Path(str(first["path"])).parent, Path(name).expanduser())
    texts = (
        first["model"], batch, first["device"], f"{first['status']}{mark}",
        _began(phases)[:16].replace("T", " "), joules.get("train", ""), joules.get("test", ""),
        str(first["run_id"] or "")[:8], folder,
    )  # fmt: skip
    return [("" if absent(text) else str(text), []) for text in texts]


def _is_flagged(phases: list[dict[Any, Any]]) -> bool:
    return any(row["flags"] and not absent(row["flags"]) for row in phases)


def _joules(row: dict[Any, Any]) -> str:
    kwh, half_width = row["kwh_per_sample"], row["kwh_half_width"]
    if absent(kwh):
        return ""
    width = None if absent(half_width) else half_width * J_PER_KWH
    return with_interval(kwh * J_PER_KWH, width)
