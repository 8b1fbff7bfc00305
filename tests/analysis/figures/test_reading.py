"""What a reader needs of a figure: axes, marks explained, labels that collide with nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures import gather, labels, look
from analysis.figures.figure1 import figure1
from analysis.figures.figure2 import figure2
from analysis.figures.figure5_6 import PAPERS_5, PAPERS_6, figure5, figure6
from analysis.figures.figure7_8 import PAPERS, figure7
from analysis.published import facts
from tests.analysis.figures.test_figures import EMPTY, EPOCH, PUBLISHED, rows, run, runs, words


def test_figure_1_has_the_papers_language_models_and_its_household() -> None:
    shown = words(
        figure1(rows(*PUBLISHED), facts.appliances(), facts.references(), facts.language_models())
    )
    for expected in ("OPT-175B", "356,000", "GPT-3-175B", "1,287,000", "before Oct 2023", "242"):
        assert expected in shown


def test_figure_1_has_one_line_a_model_and_no_bar_on_its_logarithmic_axis() -> None:
    estimates = rows(("ResNet50", 12.0, 76.1), ("ResNet50", 90.0, 76.1), kind="estimated")
    home = pd.DataFrame({"name": ["Kettle"], "kwh_per_month": [13.8], "source": ["Survey"]})
    figure = figure1(
        pd.concat([rows(*PUBLISHED), estimates.assign(half_width_kwh=1.0)]), home, EMPTY.references
    )
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == ["Kettle [1]", "ResNet50", "EfficientNetv2 S"]
    assert list(figure.axes[0].patches) == []
    assert "training a model, once (estimated)" in words(figure)


def test_figure_2_has_the_axes_of_the_papers_text_and_explains_its_markers() -> None:
    left, right = figure2(rows(*PUBLISHED)).axes
    assert "accuracy" in left.get_xlabel()
    assert "kWh" in left.get_ylabel()
    assert "kWh" in right.get_xlabel()
    assert "marker's area: 10,000 kWh" in words(figure2(rows(*PUBLISHED)))


def test_figure_2_names_the_papers_models_without_a_collision() -> None:
    figure = figure2(gather.published_rows())
    with look.look():
        figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [labels.Box(*text.get_window_extent().extents) for text in axes.texts]
        assert len(boxes) >= 15
        for number, box in enumerate(boxes):
            assert not any(labels.overlap(box, other) for other in boxes[number + 1 :])
        centres = [axes.transData.transform(points.get_offsets()) for points in axes.collections]
        for x, y in np.concatenate(centres):
            point = labels.Box(x - 1, y - 1, x + 1, y + 1)
            assert not any(labels.overlap(box, point) for box in boxes)


def test_figure_5_of_cpus_speaks_of_no_gpu() -> None:
    shown = words(figure5(runs({"device": "CPU (a)"}, {"device": "CPU (b)"})))
    assert "2 CPU set-ups: training" in shown
    assert "GPU" not in shown


def test_figure_6_hides_no_point_behind_another() -> None:
    figure = figure6(runs(*({"model": m, "batch_size": b} for m in "ab" for b in (8, 32))))
    first, second = (figure.axes[0].lines[number] for number in (0, 3))
    assert not np.isin(first.get_xdata(), second.get_xdata()).any()


@pytest.mark.parametrize(
    ("experiment", "papers"),
    [("hardware", PAPERS_5), ("batch_size", PAPERS_6), ("epochs", PAPERS), ("data_share", PAPERS)],
)
def test_the_papers_networks_of_a_study_are_those_that_its_command_measures(
    experiment: str, papers: tuple[str, ...]
) -> None:
    text = (Path(__file__).parents[3] / f"conf/experiment/{experiment}.yaml").read_text()
    assert f"model: {','.join(papers)}\n" in text


def test_a_network_of_the_papers_study_without_a_record_is_named_with_its_command() -> None:
    names = [name for name in PAPERS_6 if name != "efficientformer_l3"]
    shown = pd.DataFrame(
        [run(model=name, batch_size=size, variant=name) for name in names for size in (8, 16)]
    )
    title = figure6(shown).legends[0].get_title().get_text()
    command = "python run.py -m experiment=batch_size model=efficientformer_l3"
    assert f"no record here of efficientformer_l3: {command}" in title
    everything = pd.DataFrame(
        [run(model=name, batch_size=size, variant=name) for name in PAPERS_6 for size in (8, 16)]
    )
    assert "no record" not in figure6(everything).legends[0].get_title().get_text()
    seven = figure7(pd.DataFrame([run(num_samples=3 * EPOCH)])).legends[0].get_title().get_text()
    assert "efficientformer_l3: python run.py -m experiment=epochs" in " ".join(seven.split())
