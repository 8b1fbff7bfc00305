"""GPUs as logs list them, and energies that no hardware can have drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.records.load import load
from tests.analysis.records.codecarbon.logs import a_config, a_log


def _row(folder: Path, **line: str) -> dict[str, Any]:
    a_config(folder)
    a_log(folder, line)
    [row] = load([folder]).frame.to_dict("records")
    return {str(name): value for name, value in row.items()}


@pytest.mark.parametrize(
    ("model", "count", "device", "words"),
    [
        ("1 x NVIDIA A40", "1", "NVIDIA A40", ""),
        ("8 x NVIDIA A40", "8.0", "NVIDIA A40", ""),
        ("NVIDIA A40", "", "NVIDIA A40", ""),
        ("1 x NVIDIA A1001 x Tesla T4", "2", "NVIDIA A100 + Tesla T4", "several kinds"),
        ("1 x NVIDIA A100; 1 x Tesla T4", "2", "NVIDIA A100 + Tesla T4", "several kinds"),
        ("['NVIDIA A100'; 'NVIDIA A100']", "2", "NVIDIA A100", ""),
        ("2 x NVIDIA A40", "4", "NVIDIA A40", "gpu_count is 4, and gpu_model lists 2"),
        ("2 x NVIDIA A40", "0", "NVIDIA A40", "gpu_count is 0, and the GPUs of gpu_model, 2,"),
        ("", "", "GPU of unknown kind", "a GPU was read, and none is named"),
    ],
)
def test_the_gpus_that_are_listed(
    tmp_path: Path, model: str, count: str, device: str, words: str
) -> None:
    row = _row(tmp_path, gpu_model=model, gpu_count=count)
    assert row["setup"].found.device == device
    assert words in row["flags"] and bool(words) == bool(row["flags"])


@pytest.mark.parametrize(
    ("line", "words", "has_rate"),
    [
        ({"energy_consumed": "10"}, "3.6e+05 W in all: a unit is mistaken", False),  # Wh
        ({"gpu_energy": "25", "energy_consumed": "25.003"}, "a unit is mistaken", False),  # kJ
        ({"energy_consumed": "0.25", "gpu_energy": "0.247"}, "more than they can draw", True),
        ({"duration": "100000"}, "0.25 W of 1 GPUs: less than they draw", False),  # ms
        (
            {
                "gpu_count": "",
                "gpu_model": "",
                "gpu_energy": "0",
                "energy_consumed": "1e-9",
                "cpu_energy": "1e-9",
                "ram_energy": "0",
            },
            "W in all: less than they draw",
            False,
        ),
        ({"duration": "0.01", "energy_consumed": "0.0101"}, "", True),
    ],
)
def test_what_no_hardware_draws_is_flagged(
    tmp_path: Path, line: dict[str, str], words: str, has_rate: bool
) -> None:
    row = _row(tmp_path, **line)
    assert words in row["flags"]
    assert pd.notna(row["kwh_per_sample"]) == has_rate


def test_a_time_of_another_form_is_flagged(tmp_path: Path) -> None:
    row = _row(tmp_path, timestamp="01/03/2025 10:05")
    assert "timestamp '01/03/2025 10:05' is no ISO 8601 time" in row["flags"]
