"""Other people's numbers are a kind of their own, and no axis holds two scopes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.figures.energy_per_image import energies_per_image
from analysis.figures.figure_independent import figure_independent
from analysis.figures.gather import gather
from analysis.independent import facts
from analysis.independent.own_file import NEEDED
from analysis.records.load import load
from tests.analysis.sample_records import a_record, put


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    resnet, small = {"model": "resnet50", "paper_row": "ResNet50"}, {"scale": "small"}
    records = (a_record(**resnet), a_record(**resnet, **small))
    return energies_per_image(load([put(tmp_path, *records)]).frame)


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


def test_a_users_own_file_is_among_the_marks_and_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    lines = [
        f"{row},test,wall,my desktop,1000,300,my logbook,own,{batch}"
        for row in ("ResNet50", "VGG16")
        for batch in (32, 64)
    ]
    path.write_text("\n".join([",".join((*NEEDED, "batch_size")), *lines]), encoding="utf-8")
    loaded = load([put(tmp_path / "runs", a_record())])
    gathered = gather(loaded, (str(path),))
    marks = gathered.frames.beside
    mine = marks[marks["where"].str.startswith("my desktop")]
    assert set(mine["model"]) == {"ResNet50", "VGG16"} and set(mine["scope"]) == {"wall"}
    assert "my desktop" in set(gathered.frames.others["device"])
    assert gathered.independent == (str(path),), "the report's tables take it from here"


@pytest.mark.parametrize("command", ["figures", "report", "tables"])
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, capsys, command: str) -> None:
    runs = put(tmp_path / "runs", a_record())
    wanted = [command, str(runs), "--out", str(tmp_path / "out")]
    assert main([*wanted, "--independent", str(tmp_path / "no.csv")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("give a CSV file in UTF-8")
    assert not (tmp_path / "out").exists()


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
