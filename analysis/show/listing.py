"""The runs of a folder, a line each: what `show` prints where it is given more than one."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.named_folders import unpacked, with_bundle_names
from analysis.share.record_checks import casts_doubt
from analysis.tables.grid import Cell, Grid
from analysis.tables.numbers import absent, with_interval
from analysis.tables.own import J_PER_KWH

HEADINGS = ["Model", "Batch", "Device", "Status", "Began (UTC)", "Train (J/sample)",
            "Test (J/sample)", "Run", "Folder"]  # fmt: skip
LEFT = frozenset({"Model", "Device", "Status", "Began (UTC)", "Run", "Folder"})
DROP_FIRST = ("Folder", "Device", "Batch", "Began (UTC)")
FLAGGED = "†: the meter flagged something; the run's own page says what"


def how_to_see_one(name: str, frame: pd.DataFrame) -> str:
    """The command for the page of one of the runs in the folder or bundle `name`."""
    ids = [str(run_id)[:8] for run_id in frame["run_id"] if run_id and not absent(run_id)]
    place = f"{with_bundle_names(_top(name, frame, name))}/{ids[-1]}" if ids else "FOLDER"
    return f"one run on a page: python -m analysis show {shlex.quote(place)}"


def _top(name: str, frame: pd.DataFrame, existing: str) -> str:
    """The folder that holds all runs: `existing` where `name` is one, no pattern."""
    if Path(name).expanduser().exists():
        return existing.rstrip("/")
    return os.path.commonpath([str(Path(path).parent.parent) for path in frame["path"]])


def listing(name: str, frame: pd.DataFrame) -> Grid:
    """One line per run of `frame`, oldest first, with the energy of one sample; `name`: what the
    folders of the runs are relative to."""
    runs = frame.groupby(["path", "run_id"], sort=False, observed=True, dropna=False)
    top = _top(name, frame, unpacked(name))
    rows = sorted(([*run.to_dict("records")] for _, run in runs), key=_began)
    counts = Counter(str(phases[0]["status"]) for phases in rows)
    counted = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    is_flagged = any(map(_is_flagged, rows))
    return Grid(
        title=f"{len(rows)} runs: {counted}",
        kinds=[""] * len(HEADINGS),
        headings=HEADINGS,
        cells=[_cells(top, phases) for phases in rows],
        footnotes=[FLAGGED] if is_flagged else [],
        left=LEFT,
        drop_first=tuple(HEADINGS.index(heading) for heading in DROP_FIRST),
    )


def _began(phases: list[dict[Any, Any]]) -> str:
    return str(phases[0]["started_at"] or "")


def _cells(top: str, phases: list[dict[Any, Any]]) -> list[Cell]:
    first = phases[0]
    batch = "" if absent(first["batch_size"]) else str(int(first["batch_size"]))
    mark = " †" if _is_flagged(phases) else ""
    joules = {str(row["phase"]): _joules(row) for row in phases}
    folder = os.path.relpath(Path(str(first["path"])).parent, Path(top).expanduser())
    texts = (
        first["model"], batch, first["device"], f"{first['status']}{mark}",
        _began(phases)[:16].replace("T", " "), joules.get("train", ""), joules.get("test", ""),
        str(first["run_id"] or "")[:8], folder,
    )  # fmt: skip
    return [("" if absent(text) else str(text), []) for text in texts]


def _is_flagged(phases: list[dict[Any, Any]]) -> bool:
    """Whether a flag casts doubt on a rate; some tell only how it was measured."""
    texts = [row["flags"] for row in phases if not absent(row["flags"])]
    return any(casts_doubt(flag) for text in texts for flag in str(text).split("; ") if flag)


def _joules(row: dict[Any, Any]) -> str:
    kwh, half_width = row["kwh_per_sample"], row["kwh_half_width"]
    if absent(kwh):
        return ""
    width = None if absent(half_width) else half_width * J_PER_KWH
    return with_interval(kwh * J_PER_KWH, width)
