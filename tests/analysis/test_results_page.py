"""What RESULTS.md says of the shipped records outside of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from analysis.estimates.validate import Prediction, predictions_of
from analysis.published.facts import IMAGENET_TRAIN_IMAGES
from metering.record import PhaseRecord, Record
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


def fixed_trainings() -> list[Record]:
    """Of the studies of epochs and shares: so many steps, their own start among them."""
    paths = (ROOT / "results/records/small").glob("*/*/*/*/record.json")
    texts = (path for path in paths if '"mode": "fixed"' in path.read_text(encoding="utf-8"))
    return [read(path) for path in texts]


def test_windows_of_a_fixed_length_are_as_many_and_as_wrong_as_it_says() -> None:
    outcomes = [one for record in fixed_trainings() for one in predictions_of(record, 0.2)]
    made = [abs(one.error) for one in outcomes if isinstance(one, Prediction)]
    assert (len(outcomes), len(made), sum(error <= 0.05 for error in made)) == (12, 10, 1)
    assert (
        "Twelve of the windows have a fixed length and hold their own start: of the ten with "
        "blocks enough, one is within 5 %" in TEXT
    )


def test_an_epoch_of_the_study_is_eight_steps() -> None:
    twenty = {
        record.setup.asked.protocol["num_steps"] / 20
        for record in fixed_trainings()
        if record.setup.asked.data.fraction == 0.01
        and record.setup.asked.protocol["num_steps"] >= 20
    }
    assert twenty == {8.0}
    assert "an epoch here is 8 steps, where the paper's 1 % of ImageNet has 400" in TEXT
    assert pytest.approx(400, abs=1) == 0.01 * IMAGENET_TRAIN_IMAGES / 32
