"""Where each measured number comes from: what was run, on what, read how, by which versions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.errors import utf8
from analysis.report.model import Cell, Column, Table
from analysis.report.tables import runs_of
from metering import catalogue
from metering.record_file import summary_from_json

_PROVENANCE = (
    Column("model"), Column("row"), Column("phase"), Column("status"), Column("stage"),
    Column("scale"), Column("device"), Column("batch", is_number=True), Column("precision"),
    Column("data"), Column("kWh per 1,000 samples", "measured", True),
    Column("half-width of the interval", "measured", True), Column("blocks", "measured", True),
    Column("stopped by"), Column("sensors"), Column("versions"), Column("notes"),
    Column("started"), Column("run"), Column("record"),
)  # fmt: skip


def measured(records: pd.DataFrame) -> Table:
    """How many runs of which task on which device, and how they ended."""
    counts = ("models", "finished", "failed or interrupted", "small studies")
    columns = (
        Column("task"),
        Column("device"),
        *(Column(count, is_number=True) for count in counts),
    )
    runs = records.drop_duplicates("path")
    rows = []
    for (task, device), group in runs.groupby(["task", "device"], observed=True):
        num_finished = int((group["status"] == "finished").sum())
        numbers = (
            group["model"].nunique(),
            num_finished,
            len(group) - num_finished,
            int((group["scale"] == "small").sum()),
        )
        cells = [Cell(f"{number}", float(number)) for number in numbers]
        rows.append((Cell(catalogue.task_title(task)), Cell(device), *cells))
    return Table("runs-table", "Runs", columns, tuple(rows), empty="No record was found.")


def provenance(records: pd.DataFrame) -> Table:
    """One row per record and phase, with its sensors, versions and interval."""
    rows = tuple(_row(row) for row in records.to_dict("records"))
    runs = tuple(runs_of([row]) for row in records.to_dict("records"))
    notes = (
        "Sensors: counter (NVML energy counter), power (integrated samples), rapl, modelled "
        "(rated power x load), absent (not read, and not zero).",
        "An interval is two-sided, at 95 %.",
    )
    return Table(
        "provenance-table", "Records", _PROVENANCE, rows, notes, "No record was found.", runs=runs
    )


def _row(row: Mapping[Any, Any]) -> tuple[Cell, ...]:
    read = ("gpu_sensor", "cpu_sensor", "ram_sensor")
    sensors = ", ".join(f"{name[:3].upper()} {row[name]}" for name in read if _has(row[name]))
    small = row["scale"] == "small"
    path = Path(row["path"])
    words = (row["notes"], row["flags"], row["failure"])
    return (
        Cell(f"{row['model']}{' *' if small else ''}"), _text(row["paper_row"]),
        _text(row["phase"]), _text(row["status"]), _text(row["stage"]), _text(row["scale"]),
        _text(row["device"]), _number(row["batch_size"]), _text(row["precision"]),
        _text(row["data"]), _number(row["kwh_per_sample"], 1000),
        _number(row["kwh_half_width"], 1000), _number(row["num_blocks"]),
        _text(row["stop_reason"]), Cell(sensors),
        Cell(_versions(row)), Cell("; ".join(str(word) for word in words if _has(word))),
        _text(row["started_at"]), _text(row["run_id"]),
        Cell(utf8("/".join(path.parts[-3:])), note=_tail(path)),
    )  # fmt: skip


def _tail(path: Path) -> str:
    """The record's path as far as it tells runs apart."""
    return utf8("/".join(path.parts[-5:]))


def _versions(row: Mapping[Any, Any]) -> str:
    """The suite's version, and what the host facts of the record say of software."""
    origins = [f"suite {row['code_version']}"] if _has(row["code_version"]) else []
    if row["kind"] != "record":
        return ", ".join(origins)
    record, _ = summary_from_json(Path(row["path"]).read_bytes())
    host = record.host
    origins += [f"{name} {version}" for name, version in host.packages.items()]
    origins += [f"python {host.python}"] if host.python else []
    drivers = {state.driver for state in host.gpu_states if state.driver}
    origins += [f"driver {driver}" for driver in sorted(drivers)]
    return ", ".join(origins)


def _has(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _text(value: Any) -> Cell:
    return Cell(value if isinstance(value, str) else "")


def _number(value: Any, factor: float = 1) -> Cell:
    if value is None or pd.isna(value):
        return Cell("")
    return Cell(f"{factor * value:.4g}", float(factor * value))
