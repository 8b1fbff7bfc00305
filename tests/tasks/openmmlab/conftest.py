"""A run of MMEngine's Runner as small as a test can have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metering.settings import MeterSettings
from tasks.plan import DataPlan, HardwarePlan, ModelPlan, Plan


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    def make(**changes: Any) -> Plan:
        values: dict[str, Any] = {
            "task": "segmentation",
            "model": ModelPlan("one_layer", "segmentation", "none"),
            "data": DataPlan("points", num_workers=0),
            "hardware": HardwarePlan("local", accelerator="cpu"),
            "meter": MeterSettings(),
            "batch_size": 2,
            "output_dir": tmp_path,
        }
        return Plan(**(values | changes))

    return make
