"""Other people's numbers are a kind of their own, and no axis holds two scopes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.figures.beside import beside
from analysis.figures.figure_independent import figure_independent
from analysis.independent import facts
from analysis.records.load import load
from tests.analysis.sample_records import a_record, put


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    resnet, small = {"model": "resnet50", "paper_row": "ResNet50"}, {"scale": "small"}
    records = (a_record(**resnet), a_record(**resnet, **small))
    return beside(load([put(tmp_path, *records)]).frame)


def test_each_number_says_whose_energy_it_is(frame: pd.DataFrame) -> None:
    ours = frame[frame["kind"] == "measured"].set_index(["phase", "scope"])["j_per_sample"]
    assert dict(ours) == pytest.approx(
        {
            ("train", "gpu"): 0.8 * 3.6,
            ("train", "cpu+gpu+ram"): 3.6,
            ("test", "gpu"): 0.8 * 0.9,
            ("test", "cpu+gpu+ram"): 0.9,
        }
    )
    assert set(frame.loc[frame["kind"] == "published", "scope"]) == {"cpu+gpu+ram"}
    resnet = frame[(frame["model"] == "ResNet50") & (frame["kind"] == "published")]
    assert list(resnet["j_per_sample"]) == [pytest.approx(0.009672 * 3.6e6 / 50_000)]


def test_a_gpu_that_idled_is_no_mark(frame: pd.DataFrame) -> None:
    others = frame[frame["kind"] == "independent"]
    used = facts.energy()["use"] != "idle"
    assert 0 < len(others) <= int(used.sum())
    assert not others["where"].str.contains("A100.*test").any()


def test_a_panel_has_one_scope_and_marks_of_each_kind(frame: pd.DataFrame) -> None:
    figure = figure_independent(frame)
    drawn = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert set(drawn) == {
        "Training, the GPUs alone",
        "Testing, the GPUs alone",
        "Testing, CPU, GPU and RAM",
        "Testing, a meter at the wall",
    }
    marks = {
        title: {line.get_marker() for line in axes.lines if line.get_marker() in "^oD"}
        for title, axes in drawn.items()
    }
    assert marks == {
        "Training, the GPUs alone": {"^", "D"},
        "Testing, the GPUs alone": {"^", "D"},
        "Testing, CPU, GPU and RAM": {"^", "o", "D"},
        "Testing, a meter at the wall": {"^"},
    }
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "independent",
        "published",
        "measured",
    ]


def test_without_independent_numbers_it_says_so(frame: pd.DataFrame) -> None:
    assert figure_independent(frame[frame["kind"] == "measured"]).get_label() == "absent"
