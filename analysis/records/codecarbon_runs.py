"""Runs of people who used CodeCarbon and Hydra without this suite.

Such a run is an `emissions.csv` beside a `.hydra/config.yaml`. It has a total, and a rate
only where the config says how many samples were processed (`num_samples` or `num_images`).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from analysis.records.config_facts import MOST, dataset_of, shown
from analysis.records.rows import COLUMNS, LEAST_KWH
from metering.record import RecordError

FILE_NAME = "emissions.csv"
LEAST_RUN_KWH = 1e-12
"""Least energy of a run, kWh: 3.6 microjoules, under one step of RAPL's usual counter
(15.3 or 61 microjoules) and of NVML's (1 millijoule)."""
_NEEDED = ("energy_consumed", "duration")
_NULL = ("", "~", "null", "Null", "NULL")


def rows_of(path: Path) -> tuple[list[tuple[Any, ...]], list[str]]:
    """One row per line of `path`, in the order of `record_rows.COLUMNS`, and for each line that
    was left out what is wrong with it. Raises `RecordError` with one line that says what is
    wrong with the whole, or `OSError`."""
    said = _said(_config(path.parent / ".hydra" / "config.yaml"))
    # utf-8-sig: a spreadsheet's byte order mark is no part of the first column's name
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    lines = io.StringIO(text, newline=None)
    names = _names(next(lines, ""))
    rows: list[tuple[Any, ...]] = []
    bad: list[str] = []
    for number, line in enumerate(lines, 2):
        try:
            if cells := _cells(line):
                rows.append(_row(path, _by_name(names, cells), said))
        except RecordError as error:
            bad.append(f"line {number}: {error}")
    if not rows and not bad:
        raise RecordError("no line of measurements")
    return rows, bad


def _names(header: str) -> list[str]:
    names = _cells(header)
    for name in _NEEDED:
        if name not in names:
            raise RecordError(f"not CodeCarbon's: column {name} is missing")
    for name in names:
        if names.count(name) > 1:
            raise RecordError(f"not CodeCarbon's: column {shown(name)} stands twice")
    return names


def _cells(line: str) -> list[str]:
    """Each line is parsed alone: a quote never closed would swallow the lines after it."""
    try:
        line.encode()
        return next(csv.reader([line], strict=True), [])
    except UnicodeEncodeError:
        raise RecordError("not a CSV file: it is not UTF-8") from None
    except csv.Error as error:
        raise RecordError(f"not a CSV file: {error}") from None


def _by_name(names: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(names):
        raise RecordError(f"{len(cells)} values for {len(names)} columns")
    return dict(zip(names, cells, strict=True))


def _config(path: Path) -> dict[str, Any]:
    import yaml

    class Texts(yaml.BaseLoader):
        """Every scalar as its text: a date that is none, or a number of 5,000 digits, is one."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            found = super().construct_mapping(node, deep)
            if len(found) != len(node.value):
                raise RecordError("a key stands twice in one place")
            return found

    text = path.read_bytes()
    try:
        config = yaml.load(text, Texts)
    except Exception as error:  # nesting, escapes and directives make Python's own errors
        why = " ".join(str(error).split())
        raise RecordError(
            f".hydra/config.yaml is not YAML: {why or type(error).__name__}"
        ) from None
    return config if isinstance(config, dict) else {}


def _said(config: dict[str, Any]) -> dict[str, Any]:
    """What the config says of every line; what it does not say is None."""
    samples = _count(config, "num_samples")
    return {
        "task": _name(config.get("task")) or "classification",
        "model": _name(config.get("model")),
        "data": _name(config.get("data")) or _name(config.get("dataset")) or "",
        "hardware": _name(config.get("hardware")),
        "batch_size": _count(config, "batch_size"),
        "precision": _name(config.get("precision")),
        "phase": "test" if config.get("phase") == "test" else "train",
        "num_samples": _count(config, "num_images") if samples is None else samples,
    }


def _row(path: Path, line: dict[str, str], said: dict[str, Any]) -> tuple[Any, ...]:
    energy_kwh = _number(line, "energy_consumed", least=LEAST_RUN_KWH)
    if energy_kwh is None:
        raise RecordError("energy_consumed: it is empty")
    duration_s = _number(line, "duration")
    num_samples = said["num_samples"]
    kwh_per_sample = energy_kwh / num_samples if num_samples else None
    if kwh_per_sample is not None and kwh_per_sample < LEAST_KWH:
        raise RecordError(
            f"energy_consumed: {energy_kwh} kWh is too little for {num_samples} samples"
        )
    devices = _number(line, "gpu_count")
    if devices is not None and devices != int(devices):
        raise RecordError(f"gpu_count: {devices} is not a whole number")
    values = said | {
        "path": str(path),
        "kind": "codecarbon",
        "status": "finished",
        "identity": line.get("run_id") or "",
        "started_at": line.get("timestamp") or "",
        "model": said["model"] or line.get("project_name") or path.parent.name,
        "dataset": dataset_of(said["task"], said["data"], ()),
        "hardware": said["hardware"] or line.get("gpu_model") or line.get("cpu_model"),
        "gpu_name": line.get("gpu_model") or None,
        "cpu_model": line.get("cpu_model") or None,
        "num_devices": devices or 1.0,
        "variant": "",
        "stage": "supervised",
        "scale": "full",
        "recipe": (),
        "kwh_per_sample": kwh_per_sample,
        "s_per_sample": duration_s / num_samples if num_samples and duration_s else None,
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
    if not isinstance(value, str) or value in _NULL:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # YAML's escapes can make half a character
        raise RecordError(f".hydra/config.yaml: {shown(value)} is not text") from None
    return value


def _count(config: dict[str, Any], name: str) -> int | None:
    """A whole number; what is no number (`auto`, `${...}`) means something else to its owner."""
    said: Any = config.get(name)
    try:  # YAML writes .nan and .inf, Python nan and inf
        number = float(said.lower().replace(".nan", "nan").replace(".inf", "inf"))
    except (AttributeError, ValueError):
        return None
    if not 1 <= number <= MOST or number != int(number):
        raise RecordError(
            f".hydra/config.yaml: {name}: {shown(said)} is not a whole number above 0"
        )
    return int(number)


def _number(line: dict[str, str], name: str, least: float = 0.0) -> float | None:
    """None where the cell is empty: CodeCarbon writes so what it could not read."""
    said = (line.get(name) or "").strip()
    if not said:
        return None
    try:
        number = float(said)
    except ValueError:
        number = -1.0
    if not least <= number <= MOST:
        raise RecordError(f"{name}: {shown(said)} is not a number from {least:g} to {MOST:.2g}")
    return number
