"""Each figure says what its frames say, keeps the kinds of number apart, and never invents."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures import look
from analysis.figures.families import DISTILLED, LARGER_SET, SELF_SUPERVISED, family
from analysis.figures.figure1 import figure1
from analysis.figures.figure2 import figure2, marker_area
from analysis.figures.figure3 import figure3
from analysis.figures.figure4 import figure4
from analysis.figures.figure5_6 import figure5, figure6
from analysis.figures.figure7_8 import figure7, figure8
from analysis.figures.figure_a5 import figure_a5
from analysis.figures.frames import STAGE_COLUMNS, Frames, gqi
from analysis.figures.measured import compared, fit_line
from tests.analysis.sample_records import a_setup

EPOCH = 12_812


def rows(*models: tuple[str, float, float], **values: Any) -> pd.DataFrame:
    frame = pd.DataFrame(models, columns=["model", "train_kwh", "accuracy_pct"])
    frame = frame.assign(kind="published", is_small=False, source="Table 3", test_kwh=0.01)
    frame = frame.assign(group="", on_front=False)
    frame["gqi"] = gqi(frame["accuracy_pct"], frame["train_kwh"])
    return frame.assign(**values)


PUBLISHED = (("ResNet50", 31.506, 76.1), ("ViT-B-scratch", 389.76, 77.9),
             ("ViT-B-JFT", 2139.002, 84.1), ("EfficientNetv2 S", 177.06, 83.9))  # fmt: skip


def run(**values: Any) -> dict[str, Any]:
    """One measured phase: 50 blocks of equal cost, 0.4 mWh an image, over two epochs."""
    rate, num = 4e-7, values.pop("num_samples", 2 * EPOCH)
    samples = np.linspace(num / 50, num, 50)
    phase = {
        "model": "resnet50",
        "phase": "train",
        "device": "NVIDIA RTX A6000",
        "batch_size": 32,
        "precision": "fp32",
        "data": "synthetic",
        "variant": "",
        "fraction": 0.01,
        "num_epoch_samples": EPOCH,
        "is_small": False,
        "kwh_per_sample": rate,
        "half_width_kwh_per_sample": rate / 50,
        "curve_samples": tuple(samples),
        "curve_kwh": tuple(rate * samples),
        "record": "r",
    } | values
    asked = {name: phase[name] for name in ("model", "device", "batch_size", "precision")}
    setup = a_setup(
        **asked,
        data_name=phase["data"],
        data_fraction=phase["fraction"],
        scale="small" if phase["is_small"] else "full",
        network_options={"variant": phase["variant"]},
    )
    return phase | {"setup": setup, "collection": ""}


def runs(*several: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([run(**values) for values in several])


def words(figure: Figure) -> str:
    """All text that the figure shows."""
    from matplotlib.text import Text

    with look.look():
        figure.draw_without_rendering()
    texts = figure.findobj(Text)
    return "\n".join(text.get_text() for text in texts if isinstance(text, Text))


EMPTY = Frames()


@pytest.mark.parametrize(
    ("figure", "command"),
    [
        (lambda: figure1(EMPTY.rows, EMPTY.appliances, EMPTY.references), "analysis figures"),
        (lambda: figure2(EMPTY.rows), "experiment="),
        (lambda: figure3(EMPTY.rows), "experiment=pretraining"),
        (lambda: figure4(EMPTY.stages), "experiment=self_supervision"),
        (lambda: figure5(EMPTY.runs), "experiment=hardware"),
        (lambda: figure6(EMPTY.runs), "experiment=batch_size"),
        (lambda: figure7(EMPTY.runs), "experiment=epochs"),
        (lambda: figure8(EMPTY.runs), "experiment=data_share"),
        (lambda: figure_a5(EMPTY.rows), "analysis figures"),
    ],
)
def test_a_figure_without_data_says_so_and_names_the_command(figure: Any, command: str) -> None:
    shown = words(figure())
    assert "not measured" in shown
    assert command in " ".join(shown.split())


def test_figure_1_prints_kwh_and_the_source_of_every_appliance() -> None:
    home = pd.DataFrame(
        {"name": ["Kettle", "Oven"], "kwh_per_month": [13.8, 24.2], "source": ["Survey", "Blog"]}
    )
    shown = words(figure1(rows(*PUBLISHED), home, EMPTY.references))
    for expected in ("ResNet50", "32", "Kettle [1]", "14", "[1] Survey", "Oven [2]", "[2] Blog"):
        assert expected in shown


def test_figure_2_draws_kinds_apart_and_marks_a_scaled_down_study() -> None:
    estimate = rows(("ResNet50", 12.0, 76.1), kind="estimated", is_small=True)
    figure = figure2(pd.concat([rows(*PUBLISHED), estimate]))
    left = figure.axes[0]
    hollow = [points for points in left.collections if len(points.get_facecolor()) == 0]
    assert [len(points.get_offsets()) for points in hollow] == [1]
    shown = words(figure)
    for expected in ("published", "estimated", "ResNet50 *", "scaled-down"):
        assert expected in shown


def test_figure_2_draws_the_front_of_what_sensors_read_and_of_nothing_else() -> None:
    ours = rows(("a", 100.0, 70.0), ("b", 200.0, 75.0), kind="estimated", group="g", on_front=True)
    figure = figure2(pd.concat([rows(*PUBLISHED), ours]))
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in lines] == [[100.0, 200.0]]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "Pareto front, read by sensors, one set-up" in labels
    alone = figure2(rows(*PUBLISHED))
    assert not [line for line in alone.axes[0].lines if line.get_linestyle() == "--"]


def test_figure_2_leaves_a_model_at_one_kwh_out_of_the_index_only() -> None:
    figure = figure2(rows(*PUBLISHED, ("tiny", 0.9, 90.0)))
    assert [sum(len(c.get_offsets()) for c in axes.collections) for axes in figure.axes] == [5, 4]


def test_marker_area_grows_in_proportion_to_electricity() -> None:
    small, middle, large = marker_area(pd.Series([0.0, 10_000.0, 20_000.0]))
    assert large - middle == pytest.approx(middle - small)
    assert small > 0


@pytest.mark.parametrize("title", ["$x_y$", "a$b", "<b>&amp;", "%s {0}", "\\frac"])
def test_a_models_name_is_text_whatever_it_holds(title: str) -> None:
    figure = figure2(rows(*PUBLISHED, (title, 50.0, 80.0), kind="estimated"))
    assert title in words(figure)


def test_figure_3_prints_points_gained_and_times_the_electricity() -> None:
    shown = words(figure3(rows(*PUBLISHED)))
    assert "JFT-300M: +6.2 points, 5.5x kWh" in shown


def test_figure_4_hatches_an_estimated_split_and_prints_inference() -> None:
    stages = pd.DataFrame(
        [
            ("ViT-B-MAE", "estimated", "pre-training", 1694.14, "printed total", False),
            ("ViT-B-MAE", "estimated", "fine-tuning", 129.92, "printed total", False),
            ("ViT-B-MAE", "published", "inference", 0.020572, "printed total", False),
        ],
        columns=list(STAGE_COLUMNS),
    )
    figure = figure4(stages)
    bars = [patch for patch in figure.axes[0].patches]
    assert [bar.get_hatch() is not None for bar in bars] == [True, True]
    shown = words(figure)
    assert "93% pre-training" in shown
    assert "inference\n0.021 kWh" in shown
    assert "estimated split of the published total" in shown


def test_figure_4_marks_measured_stages_of_a_scaled_down_study() -> None:
    stages = pd.DataFrame(
        [
            ("ViT-B-MAE", "estimated", "pre-training", 9.0, "measured rate", True),
            ("ViT-B-MAE", "estimated", "fine-tuning", 1.0, "measured rate", True),
        ],
        columns=list(STAGE_COLUMNS),
    )
    shown = words(figure4(stages))
    assert "90% pre-training" in shown
    assert "ViT-B-MAE *" in shown
    assert "* small: scaled-down study" in shown


def test_figure_7_is_drawn_at_the_end_of_each_epoch() -> None:
    figure = figure7(
        runs(
            {
                "num_epoch_samples": 100,
                "curve_samples": (50, 150, 250, 350),
                "curve_kwh": (1.0, 2.0, 4.0, 5.0),
            }
        )
    )
    line = figure.axes[0].lines[0]
    assert list(line.get_xdata()) == [1, 2, 3]
    assert list(line.get_ydata()) == pytest.approx([1500, 3000, 4500])
    assert list(figure.axes[1].lines[0].get_ydata()) == pytest.approx([1500, 1500, 1500])
    assert all(float(tick).is_integer() for tick in figure.axes[0].get_xticks())


def test_figure_5_joins_only_runs_that_differ_in_the_gpu_alone() -> None:
    alike = runs({}, {"device": "Tesla T4"})
    assert "RTX A6000" in words(figure5(alike))
    assert "2 GPUs: training" in words(figure5(alike))
    assert "not measured" in words(figure5(runs({}, {"device": "Tesla T4", "batch_size": 8})))


def test_figure_6_draws_rates_over_batch_sizes() -> None:
    figure = figure6(runs({}, {"batch_size": 8, "kwh_per_sample": 8e-7}))
    line = figure.axes[0].lines[0]
    assert list(line.get_xdata()) == pytest.approx([8, 32], rel=0.05)
    assert list(line.get_ydata()) == pytest.approx([0.8, 0.4])
    assert "test: not measured" in words(figure)


def test_figure_7_fits_a_line_to_what_was_used_up_at_each_block() -> None:
    figure = figure7(runs({"num_samples": 20 * EPOCH, "is_small": True}))
    points = figure.axes[0].lines[0]
    assert points.get_xdata()[-1] == pytest.approx(20)
    assert points.get_ydata()[-1] == pytest.approx(20 * EPOCH * 4e-4)
    shown = words(figure)
    assert "R2 1.00000" in shown
    assert "largest deviation" in shown
    assert "resnet50, RTX A6000 *" in shown


def test_figure_7_is_absent_when_no_run_lasted_two_epochs() -> None:
    assert "longest so far: 1.5 epochs" in words(figure7(runs({"num_samples": 1.5 * EPOCH})))


def test_figure_8_marks_what_is_a_rate_times_images_as_estimated() -> None:
    whole = {"num_samples": EPOCH}
    cut = {"fraction": 0.1, "num_epoch_samples": 10 * EPOCH, "num_samples": EPOCH}
    figure = figure8(runs(whole, cut, cut | {"fraction": 0.2, "num_epoch_samples": 20 * EPOCH}))
    filled, hollow = figure.axes[0].lines[:2]
    assert list(filled.get_ydata()) == pytest.approx([EPOCH * 4e-4])
    assert list(hollow.get_ydata()) == pytest.approx([10 * EPOCH * 4e-4, 20 * EPOCH * 4e-4])
    assert "hollow: estimated" in words(figure)


def test_a_fit_reports_its_largest_deviation_against_the_largest_value() -> None:
    line = fit_line(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.3, 2.0]))
    assert line is not None
    assert line.largest_deviation == pytest.approx(0.1)
    assert line.r2 == pytest.approx(1 - 0.06 / (np.var([0, 1.3, 2.0]) * 3))


def test_two_points_have_no_fit() -> None:
    assert fit_line(np.array([0.0, 1.0]), np.array([0.0, 1.0])) is None


def test_of_two_records_of_one_set_up_the_later_row_stands() -> None:
    frame = runs({"kwh_per_sample": 9.0}, {"kwh_per_sample": 4.0}, {"device": "Tesla T4"})
    ((_, group),) = compared(frame, "device")
    assert list(group["kwh_per_sample"]) == [4.0, 4e-7]


def test_figure_a5_has_the_papers_ranges_over_beta() -> None:
    shown = words(figure_a5(rows(*PUBLISHED)))
    assert "0.925" in shown  # EfficientNetv2 S at alpha = beta = 5, Table 3
    assert "0.185" in shown  # the same at beta = 1, appendix A.5


@pytest.mark.parametrize(
    ("model", "group"),
    [
        ("DeIT-S-300Ep", DISTILLED),
        ("ViT-L-MAE", SELF_SUPERVISED),
        ("Clip-B/16", LARGER_SET),
        ("Swin-B+PT on Im21k", LARGER_SET),
        ("ConvNeXt-L-Im22PT", LARGER_SET),
        ("BEiTv2-B", SELF_SUPERVISED),
        ("EfficientFormer-v2-l", DISTILLED),
    ],
)
def test_a_rows_group_follows_from_its_printed_name(model: str, group: str) -> None:
    assert family(model) == group


def test_drawing_never_imports_torch() -> None:
    imports = "import sys, analysis.figures.figure2, analysis.report.page"
    code = f"{imports}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
