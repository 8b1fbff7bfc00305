"""kWh at the wall beside kWh of the sensors."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from analysis.records.calibration import Calibration
from analysis.records.load import load
from analysis.tables.paper import table
from tests.analysis.sample_records import IMAGES, a_phase, a_record, put

PROFILE = {"factor": 1.1, "offset_w": 36.0, "error_pct": 3.0}


def _swin_t(folder: Path) -> dict:
    rows = table(load([folder]).frame, "classification")
    [row] = rows[rows["model"] == "Swin-T"].to_dict("records")
    return row


def test_factor_offset_and_error():
    """1 kWh over 10 h at a machine whose supply loses a tenth and whose fans draw 36 W."""
    wall, half_width = Calibration(1.1, 36.0, 3.0).wall_kwh(1.0, 0.02, 36_000)
    assert wall == pytest.approx(1.1 + 0.36)
    assert half_width == pytest.approx(math.hypot(1.1 * 0.02, 1.46 * 0.03))


def test_every_node_adds_its_own_offset(tmp_path: Path):
    """Two machines of 36 W each, whose sensors' sum is 1 kWh over 10 h."""
    wall, _ = Calibration(1.1, 36.0, 3.0).wall_kwh(1.0, None, 36_000, num_nodes=2)
    assert wall == pytest.approx(1.1 + 2 * 0.36)
    config = {"hardware": {"devices": 1, "nodes": 2, "wall_meter": PROFILE}}
    phases = {"train": a_phase(num_nodes=2)}
    row = _swin_t(put(tmp_path, a_record(config=config, phases=phases)))
    per_sample = 1.1e-6 + 2 * 0.036 / 320 / 3600
    assert row["measured_train_wall_kwh_per_sample"] == pytest.approx(per_sample)
    wall_kwh = row["estimated_train_kwh"] / 1e-6 * per_sample
    assert row["estimated_train_wall_kwh"] == pytest.approx(wall_kwh)


def test_one_machine_and_two_are_never_merged(tmp_path: Path):
    one = {"hardware": {"devices": 4, "nodes": 1, "wall_meter": PROFILE}}
    two = {"hardware": {"devices": 2, "nodes": 2, "wall_meter": PROFILE}}
    records = [
        a_record(config=config, num_nodes=nodes, phases={"train": a_phase(num_nodes=nodes)})
        for nodes, config in ((1, one), (2, two))
    ]
    rows = table(load([put(tmp_path, *records)]).frame, "classification")
    assert (rows["model"] == "Swin-T").sum() == 2


def test_the_table_shows_wall_kwh_beside_sensor_kwh(tmp_path: Path):
    config = {"hardware": {"devices": 1, "wall_meter": PROFILE}}
    row = _swin_t(put(tmp_path, a_record(config=config)))
    # 1e-6 kWh and 1/320 s per sample
    per_sample = 1.1e-6 + 0.036 / 320 / 3600
    assert row["measured_train_wall_kwh_per_sample"] == pytest.approx(per_sample)
    kwh = 300 * IMAGES * 1e-6 + 1e-4
    assert row["estimated_train_kwh"] == pytest.approx(kwh)
    assert row["estimated_train_wall_kwh"] == pytest.approx(kwh / 1e-6 * per_sample)
    assert row["estimated_train_wall_kwh_half_width"] > 1.1 * row["estimated_train_kwh_half_width"]


def test_without_a_calibration_there_is_no_wall_kwh(tmp_path: Path):
    row = _swin_t(put(tmp_path, a_record()))
    assert pd.isna(row["estimated_train_wall_kwh"])
    assert pd.isna(row["measured_train_wall_kwh_per_sample"])
