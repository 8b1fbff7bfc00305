"""Runs of people who used CodeCarbon and Hydra without this suite.

Such a run is an `emissions.csv` beside a `.hydra/config.yaml`. It has a total, and a rate
only where the config says how many samples were processed (`num_samples` or `num_images`).
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from analysis.record_rows import COLUMNS, dataset_of
from metering.record import RecordError

FILE_NAME = "emissions.csv"
_NEEDED = ("energy_consumed", "duration")


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    """One row per line of `path`, in the order of `record_rows.COLUMNS`.
    Raises `RecordError` with one line that says what is wrong, or `OSError`."""
    config = _config(path.parent / ".hydra" / "config.yaml")
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            lines = list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordError(f"not a CSV file: {error}") from None
    if not lines:
        raise RecordError("no line of measurements")
    missing = [name for name in _NEEDED if name not in lines[0]]
    if missing:
        raise RecordError(f"not CodeCarbon's: column {missing[0]} is missing")
    return [_row(path, line, config) for line in lines]


def _config(path: Path) -> dict[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecordError(f".hydra/config.yaml is not YAML: {str(error).splitlines()[0]}") from None
    return config if isinstance(config, dict) else {}


def _row(path: Path, line: dict[str, str], config: dict[str, Any]) -> tuple[Any, ...]:
    energy_kwh, duration_s = _number(line, "energy_consumed"), _number(line, "duration")
    if energy_kwh is None or energy_kwh <= 0:
        raise RecordError(f"energy_consumed: {line['energy_consumed']} kWh is not above 0")
    num_samples = config.get("num_samples", config.get("num_images"))
    num_samples = num_samples if isinstance(num_samples, int) and num_samples > 0 else None
    task = _name(config.get("task")) or "classification"
    data = _name(config.get("data") or config.get("dataset")) or ""
    devices = _number(line, "gpu_count")
    values = {
        "path": str(path),
        "kind": "codecarbon",
        "status": "finished",
        "identity": line.get("run_id") or "",
        "started_at": line.get("timestamp") or "",
        "task": task,
        "model": _name(config.get("model")) or line.get("project_name") or path.parent.name,
        "dataset": dataset_of(task, data, ()),
        "data": data,
        "hardware": _name(config.get("hardware")) or line.get("gpu_model") or line.get("cpu_model"),
        "gpu_name": line.get("gpu_model") or None,
        "num_devices": devices or 1.0,
        "batch_size": config.get("batch_size") if _is_number(config.get("batch_size")) else None,
        "variant": "",
        "precision": str(config["precision"]) if "precision" in config else None,
        "stage": "supervised",
        "scale": "full",
        "phase": "test" if config.get("phase") == "test" else "train",
        "recipe": (),
        "kwh_per_sample": energy_kwh / num_samples if num_samples else None,
        "s_per_sample": duration_s / num_samples if num_samples and duration_s else None,
        "num_samples": num_samples,
        "gpu_kwh": _number(line, "gpu_energy"),
        "cpu_kwh": _number(line, "cpu_energy"),
        "ram_kwh": _number(line, "ram_energy"),
        "energy_kwh": energy_kwh,
        "duration_s": duration_s,
        "emissions_kg_co2eq": _number(line, "emissions"),
        "flags": "",
        "notes": "measured with CodeCarbon alone: warm-up included, no interval",
    }
    return tuple(values.get(name) for name in COLUMNS)


def _name(value: Any) -> str | None:
    """`model: vit_b` and `model: {name: vit_b}` are both common."""
    if isinstance(value, dict):
        value = value.get("name")
    return str(value) if value is not None else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(line: dict[str, str], key: str) -> float | None:
    try:
        number = float(line.get(key) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
