"""Logs as CodeCarbon writes them, for the tests of this room."""

from __future__ import annotations

from pathlib import Path

LINE = {
    "timestamp": "2025-03-01T10:05:00",
    "project_name": "codecarbon",
    "run_id": "run-1",
    "experiment_id": "5b0fa12a",
    "duration": "100.0",
    "emissions": "0.0005",
    "cpu_energy": "0.002",
    "gpu_energy": "0.007",
    "ram_energy": "0.001",
    "energy_consumed": "0.010",
    "country_iso_code": "FRA",
    "codecarbon_version": "3.0.4",
    "cpu_model": "Intel(R) Xeon(R) Silver 4214",
    "gpu_count": "1",
    "gpu_model": "1 x NVIDIA GeForce RTX 3090",
    "tracking_mode": "machine",
    "pue": "1.0",
}
CONFIG = "model: resnet50\nbatch_size: 32\nnum_samples: 10000\n"


def csv_text(*lines: dict[str, str], separator: str = ",") -> str:
    """A file with one line per dict: `LINE` and what differs; columns as the first has them."""
    rows = [LINE | line for line in lines]
    texts = [separator.join(rows[0])] + [separator.join(row.values()) for row in rows]
    return "\n".join(texts) + "\n"


def a_log(folder: Path, *lines: dict[str, str], name: str = "emissions.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(csv_text(*lines))
    return path


def a_config(folder: Path, text: str = CONFIG, name: str = "config.yaml") -> Path:
    path = folder / ".hydra" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
