"""What RESULTS.md says of the shipped records outside of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from metering.record import PhaseRecord
from metering.record_file import read
from tests.conftest import ROOT

TEXT = " ".join((ROOT / "RESULTS.md").read_text(encoding="utf-8").split())
H200 = sorted((ROOT / "results/records/nvidia-h200-2026-11-26").glob("*/*/*/*/record.json"))


def phases(task: str) -> Iterator[PhaseRecord]:
    for path in H200:
        record = read(path)
        if record.task == task:
            yield from record.phases.values()


def width_pct(phase: PhaseRecord) -> float:
    energy = phase.energy_kwh_per_sample
    assert energy is not None and energy.half_width is not None
    return 100 * energy.half_width / energy.mean


def test_the_h200s_records_are_as_short_and_as_uncertain_as_it_says() -> None:
    found = re.search(
        r"Their blocks that count last (\w+) to (\w+) seconds a phase, so their intervals are "
        r"(\d+) to (\d+) % wide to each side \(I3D (\d+) %\)",
        TEXT,
    )
    assert found is not None and found.group(1, 2) == ("three", "six")
    widths = [width_pct(one) for one in phases("classification")]
    (i3d,) = [width_pct(one) for one in phases("action_recognition")]
    said = [float(number) for number in found.group(3, 4, 5)]
    assert [min(widths), max(widths), i3d] == [pytest.approx(one, abs=0.5) for one in said]
    for phase in (*phases("classification"), *phases("action_recognition")):
        energy = phase.energy_kwh_per_sample
        assert energy is not None and energy.num_blocks is not None
        counted_s = sum(one.duration_s for one in phase.readings[-energy.num_blocks :])
        assert 3 <= counted_s <= 6.05


def test_they_are_seven_networks_in_five_minutes() -> None:
    records = [read(path) for path in H200]
    assert len({one.model for one in records if one.task == "classification"}) == 7
    times = [datetime.fromisoformat(one.started_at) for one in records]
    assert "seven networks of Table 3" in TEXT and "They are five minutes on one board" in TEXT
    assert 4 <= (max(times) - min(times)).total_seconds() / 60 <= 6
