"""Figures 5 and 6 show what other people measured, apart from our scaled-down studies."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.figures.draw import draw_all
from analysis.figures.figure5_6 import figure5, figure6
from analysis.figures.frames import Frames
from analysis.figures.independent_studies import independent_energies, lines_of
from tests.analysis.figures.test_figures import runs, words


@pytest.fixture(scope="module")
def facts() -> pd.DataFrame:
    return independent_energies()


def test_a_line_over_batch_sizes_is_of_one_board_in_one_scope(facts: pd.DataFrame) -> None:
    scope, lines = lines_of(facts, "batch_size", "train")
    assert scope == "gpu"
    a40 = next(line for line in lines if line["device"].iloc[0] == "NVIDIA A40")
    assert list(a40["batch_size"]) == [8, 16, 32, 64, 128, 192, 256, 360, 512]
    # Zeus: 0.787619 J an image at 32
    assert a40["wh_per_1000"].iloc[2] == pytest.approx(0.787619 / 3.6, rel=1e-5)


def test_a_line_over_boards_is_at_the_papers_batch_size(facts: pd.DataFrame) -> None:
    scope, lines = lines_of(facts, "device", "train")
    assert scope == "gpu"
    assert {size for line in lines for size in line["batch_size"]} == {32}
    assert all(line["device"].nunique() > 1 for line in lines)
    assert lines_of(facts, "device", "test")[1] == [], "one board is no line"


def test_others_have_panels_of_their_own_that_say_whose_energy_they_show(
    facts: pd.DataFrame,
) -> None:
    small = runs({"is_small": True}, {"is_small": True, "batch_size": 8})
    figure = figure6(small, facts)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "Batch sizes: training",
        "Batch sizes: testing",
        "Independent: training, the GPUs alone",
        "Independent: testing, CPU, GPU and RAM",
    ]
    drawn = {line.get_marker() for line in figure.axes[2].lines if line.get_marker() != "None"}
    assert "^" in drawn and "o" not in drawn, "a scaled-down study is no mark beside them"
    assert "resnet50, V100 (zeus)" in words(figure)


def test_ours_at_full_size_stand_beside_with_the_energy_of_their_gpus_alone(
    facts: pd.DataFrame,
) -> None:
    rate = {"gpu_kwh_per_sample": 3e-7}
    figure = figure6(runs(rate, rate | {"batch_size": 8}), facts)
    ours = [line for line in figure.axes[2].lines if line.get_marker() == "o"]
    assert list(ours[0].get_ydata()) == pytest.approx([0.3, 0.3])


def test_one_board_is_one_place_whoever_names_its_maker(facts: pd.DataFrame) -> None:
    rate = {"gpu_kwh_per_sample": 3e-7}
    figure = figure5(runs(rate, rate | {"device": "Tesla V100"}), facts)
    names = [tick.get_text() for tick in figure.axes[2].get_xticklabels()]
    assert names.count("V100") == 1 and len(names) == 7


def test_without_runs_of_ours_the_figure_shows_theirs_and_the_command() -> None:
    for figure in (
        figure5(Frames().runs, independent_energies()),
        draw_all(Frames(others=independent_energies()))["figure6"],
    ):
        said = " ".join(words(figure).split())
        assert "nothing here was measured on two of them" in said
        assert "python run.py -m experiment=" in said
        assert len(figure.axes) == 2
