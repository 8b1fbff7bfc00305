"""What others measured is carried over whole, each number with its source and scope."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import AnalysisError
from analysis.independent import facts
from analysis.published import facts as published

HEADER = "row,phase,scope,hardware,num_samples,energy_j,source,licence"
MINE = "ResNet50,test,wall,my desktop,1000,300,my logbook,own"


def mine(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


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


def test_a_users_file_joins_the_shipped_facts(tmp_path: Path) -> None:
    joined = facts.with_files([mine(tmp_path, HEADER, MINE)])
    assert len(joined) == 208
    last = joined.iloc[-1]
    assert (last["j_per_sample"], last["use"], last["framework"]) == (0.3, "yes", "")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((HEADER.replace(",licence", ""), MINE), "no column 'licence'"),
        ((HEADER, MINE.replace("wall", "plug")), r"line 2 \(ResNet50\): scope is none of gpu"),
        ((HEADER, MINE, MINE.replace("300", "-3")), "line 3 .*energy_j is not a number above 0"),
        ((HEADER, MINE.replace("my logbook", "")), "source is empty"),
        ((), "give a CSV file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    with pytest.raises(AnalysisError, match=words) as error:
        facts.with_files([mine(tmp_path, *lines)])
    assert "mine.csv" in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(AnalysisError, match=r"nowhere\.csv: No such file"):
        facts.with_files(["nowhere.csv"])
