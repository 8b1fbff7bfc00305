"""Net energy stands beside the gross, which stays what estimates use."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.estimates.net import net
from analysis.records.load import load
from analysis.tables.paper import table
from metering.record import Interval, Record
from tests.analysis.sample_records import IMAGES, a_phase, a_record, put

IDLE_W = 576.0
IDLE_KWH = IDLE_W / 320 / 3.6e6
"""5e-7 kWh in the 1/320 s of a sample: half of a training sample's 1e-6 kWh."""


def _idling(idle_power_w: float | None = IDLE_W, **more: Any) -> Record:
    phases = {
        "train": a_phase(idle_power_w=idle_power_w),
        "test": a_phase("test", 8e-7, 5e-9, idle_power_w=idle_power_w),
    }
    return a_record(**({"phases": phases} | more))


def _swin_t(folder: Path, *records: Record) -> dict[str, Any]:
    rows = table(load([put(folder, *records)]).frame, "classification")
    [row] = rows[rows["model"] == "Swin-T"].to_dict("records")
    return row


def test_net_is_gross_less_idle_power_for_the_time_of_a_sample(tmp_path: Path):
    row = _swin_t(tmp_path, _idling())
    assert row["measured_net_train_kwh_per_sample"] == pytest.approx(1e-6 - IDLE_KWH)
    assert row["measured_net_test_kwh_per_sample"] == pytest.approx(8e-7 - IDLE_KWH)
    assert "less idle power" in row["footnotes"]["measured_net_train_kwh_per_sample"]


def test_the_interval_has_the_energys_error_and_the_durations(tmp_path: Path):
    """2e-8 kWh, and 576 W over 1e-5 s."""
    row = _swin_t(tmp_path, _idling())
    expected = math.hypot(2e-8, IDLE_W * 1e-5 / 3.6e6)
    assert row["measured_net_train_half_width"] == pytest.approx(expected)


def test_the_gross_stays_what_the_table_uses(tmp_path: Path):
    row = _swin_t(tmp_path, _idling())
    assert row["measured_train_kwh_per_sample"] == 1e-6
    assert row["estimated_train_kwh"] == pytest.approx(300 * IMAGES * 1e-6 + 1e-4)


@pytest.mark.parametrize(
    "phase",
    [a_phase(idle_power_w=None), a_phase(idle_power_w=IDLE_W, duration_s_per_sample=None)],
    ids=["no idle power", "no pace"],
)
def test_without_idle_power_or_pace_there_is_no_net_energy(tmp_path: Path, phase: Any):
    row = _swin_t(tmp_path, a_record(phases={"train": phase}))
    assert pd.isna(row["measured_net_train_kwh_per_sample"])
    assert "measured_net_train_kwh_per_sample" not in row["footnotes"]


def test_an_idle_power_of_zero_is_a_measured_zero(tmp_path: Path):
    row = _swin_t(tmp_path, _idling(0.0))
    assert row["measured_net_train_kwh_per_sample"] == 1e-6


def test_a_pace_without_an_interval_leaves_net_energy_without_one(tmp_path: Path):
    phase = a_phase(idle_power_w=IDLE_W, duration_s_per_sample=Interval(1 / 320, None))
    row = _swin_t(tmp_path, a_record(phases={"train": phase}))
    assert row["measured_net_train_kwh_per_sample"] == pytest.approx(1e-6 - IDLE_KWH)
    assert pd.isna(row["measured_net_train_half_width"])


def test_more_idle_than_used_is_absent_and_said(tmp_path: Path):
    row = _swin_t(tmp_path, _idling(3 * IDLE_W))
    assert pd.isna(row["measured_net_train_kwh_per_sample"])
    assert pd.isna(row["measured_net_train_half_width"])
    assert "no net energy: idle power" in row["footnotes"]["measured_net_train_kwh_per_sample"]


def test_nothing_left_is_zero_not_absent():
    assert net(1e-6, 1e-8, 1e-6, 1e-8).value == 0.0


def test_merged_records_share_one_net_rate_and_none_where_one_lacks_idle_power(tmp_path: Path):
    row = _swin_t(tmp_path / "a", _idling(), _idling(IDLE_W / 2))
    assert row["measured_net_train_kwh_per_sample"] == pytest.approx(1e-6 - 0.75 * IDLE_KWH)
    row = _swin_t(tmp_path / "b", _idling(), _idling(None))
    assert pd.isna(row["measured_net_train_kwh_per_sample"])


def _csv(folder: Path, *more: str) -> dict[str, str]:
    runs = put(folder / "runs", _idling())
    assert main(["tables", str(runs), "--out", str(folder / "out"), *more]) == 0
    name = "table3_diff.csv" if "--diff" in more else "table3.csv"
    with (folder / "out" / name).open(newline="") as stream:
        [row] = [row for row in csv.DictReader(stream) if row["model"] == "Swin-T"]
    return row


def test_the_columns_and_their_footnote_are_shown_when_asked_for(tmp_path: Path):
    row = _csv(tmp_path, "--columns", "net_train_kwh_per_sample,net_train_half_width")
    assert float(row["measured_net_train_kwh_per_sample"]) == pytest.approx(1e-6 - IDLE_KWH)
    assert "measured_net_train_kwh_per_sample: net: " in row["footnotes"]
    assert "measured_net_test" not in row["footnotes"]
    text = (tmp_path / "out" / "table3.md").read_text()
    assert "Train, net (kWh/sample), measured" in text
    assert text.count("less idle power") == 1


@pytest.mark.parametrize("more", [("--columns", "gqi"), ("--diff",)])
def test_a_view_without_them_says_nothing_of_them(tmp_path: Path, more: tuple[str, ...]):
    row = _csv(tmp_path, *more)
    assert "measured_net_train_kwh_per_sample" not in row
    assert "idle power" not in row["footnotes"]
    written = [path.read_text() for path in (tmp_path / "out").iterdir()]
    assert not any("idle power" in text for text in written)


def test_a_complete_csv_has_them_and_a_page_has_not(tmp_path: Path):
    assert float(_csv(tmp_path)["measured_net_train_kwh_per_sample"]) > 0
    assert "idle power" not in (tmp_path / "out" / "table3.md").read_text()
