"""What others measured is carried over whole, each number with its source and scope."""

from __future__ import annotations

import pytest

from analysis.independent import facts
from analysis.published import facts as published


def test_every_number_is_there_with_its_source_and_licence() -> None:
    energy = facts.energy()
    assert (len(energy), energy["row"].nunique()) == (207, 24)
    assert (len(facts.throughput()), facts.throughput()["row"].nunique()) == (555, 66)
    assert (len(facts.sensor_gain()), facts.sensor_gain()["board_uuid"].nunique()) == (34, 16)
    assert (len(facts.wall_meter()), facts.sources()["licence"].notna().all()) == (14, True)
    for frame in (energy, facts.throughput(), facts.sensor_gain(), facts.wall_meter()):
        assert set(frame["source"]) <= set(facts.sources()["key"])
        assert frame["locator"].str.contains("@").all(), "file and commit"
    assert (energy["licence"] != "").all()


def test_rows_are_spelled_as_the_paper_spells_them() -> None:
    rows = set(published.wide(published.IMAGENET)["model"])
    assert set(facts.energy()["row"]) | set(facts.throughput()["row"]) <= rows


def test_joules_per_image_are_energy_over_images() -> None:
    energy = facts.energy()
    [a40] = energy[(energy["hardware"] == "NVIDIA A40") & (energy["batch_size"] == 32)][
        "j_per_sample"
    ]
    assert a40 * published.IMAGENET_TRAIN_IMAGES / 3.6e6 == pytest.approx(0.2803, abs=5e-5)
