"""Figures 7 and 8: is electricity linear in the number of epochs, and in the share of data?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures import look
from analysis.figures.measured import compared, curve, fit_line, name_of, without_a_record

COMMAND_7 = "python run.py -m experiment=epochs"
COMMAND_8 = "python run.py -m experiment=data_share"
LEAST_EPOCHS = 2.0
PAPERS = (
    "mobilenet_v2",
    "resnet50",
    "efficientnet_b3",
    "efficientnetv2_m",
    "vit_b",
    "efficientformer_l3",
)
"""The networks of the paper's studies (A.4)."""


def figure7(runs: pd.DataFrame) -> Figure:
    """(a) Wh used up to the end of each epoch, between the ends of the blocks nearest to it;
    (b) the same epoch by epoch, since a sum looks straight whatever its parts do.

    `runs`: see `frames.py`. A run counts when its train phase lasted `LEAST_EPOCHS` epochs of
    its share of the data or more, and every block of it has an energy.
    """
    long = [run for _, run in _train(runs).iterrows() if _epochs(run) >= LEAST_EPOCHS]
    if not long:
        most = max((_epochs(run) for _, run in _train(runs).iterrows()), default=0.0)
        return look.absent(
            "Figure 7: linear in epochs",
            f"No training was measured over {LEAST_EPOCHS:g} epochs or more of its data "
            f"(longest so far: {most:.2g} epochs).",
            COMMAND_7,
        )
    with look.look():
        figure, (left, right) = look.new_figure(look.FULL_IN, _height(len(long)), ncols=2)
        for number, run in enumerate(long):
            epochs, wh = _at_each_epoch(run)
            half_width = _half_width_wh(run, 1)
            label = name_of(dict(run), "device")
            # epoch 0 is no measurement: no marker stands there
            _series(left, number, epochs[1:], wh[1:], label, half_width * epochs[1:])
            _increments(right, number, epochs[1:], np.diff(wh), half_width, "*" in label)
        for axes in (left, right):
            axes.set_xlim(0, max(_epochs(run) for run in long) + 0.7)
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlabel("epochs of the share of data")
        left.set(title="(a) Used up to the end of an epoch", ylabel="Wh")
        right.set(title="(b) Used by each epoch", ylabel="Wh")
        return _finish(
            figure, long, COMMAND_7, "(b) lines and bands: each run's mean rate and its interval"
        )


def figure8(runs: pd.DataFrame) -> Figure:
    """(a) Wh of one epoch over the share of the data that the epoch has; (b) the same for 1,000
    images, which is level where electricity is in proportion to the data.

    A run that lasted an epoch gives what was measured up to its end; a shorter one its rate
    times its number of samples, drawn hollow as the estimate that it is.
    """
    train = _train(runs)
    groups = list(compared(train[train["num_epoch_samples"] > 0], "fraction"))
    if not groups:
        shares = ", ".join(f"{x:g}" for x in sorted(set(train["fraction"]))) or "none"
        return look.absent(
            "Figure 8: linear in the share of data",
            "No model was measured on two shares of its data with one set-up "
            f"(shares so far: {shares}).",
            COMMAND_8,
        )
    with look.look():
        figure, (left, right) = look.new_figure(look.FULL_IN, _height(len(groups)), ncols=2)
        used: list[pd.Series] = []
        rates: list[float] = []
        any_estimated = False
        for number, (values, group) in enumerate(groups):
            several = [run for _, run in group.iterrows()]
            points = [_one_epoch(run) for run in several]
            hollow = np.asarray([estimated for _, estimated in points])
            any_estimated |= bool(hollow.any())
            x, y = 100 * group["fraction"].to_numpy(float), np.asarray([wh for wh, _ in points])
            errors = np.asarray([_half_width_wh(run, 1) for run in several])
            label = name_of(values, "device")
            _series(left, number, x, y, label, errors, hollow)
            thousands = group["num_epoch_samples"].to_numpy(float) / 1000
            _points(right, number, x * 1.03**number, y / thousands, errors / thousands, hollow)
            used.extend(several)
            rates.extend(y / thousands)
        left.set(title="(a) One epoch", ylabel="Wh", xlabel="share of the training data, %")
        left.set_ylim(bottom=0)
        left.set_xlim(left=0)
        right.set(title="(b) The same for 1,000 images", ylabel="Wh per 1,000 images")
        right.set(xscale="log", xlabel="share of the training data, %, logarithmic")
        right.xaxis.set_major_formatter(look.FuncFormatter(look.plain_number))
        right.set_ylim(0, 1.6 * max(rates))
        note = "a bar that leaves panel (b) is longer"
        if any_estimated:
            note += "; hollow: estimated, rate x images (the run ended within its first epoch)"
        return _finish(figure, used, COMMAND_8, note)


def _height(num_series: int) -> float:
    return 2.9 + 0.13 * num_series


def _train(runs: pd.DataFrame) -> pd.DataFrame:
    has_curve = runs["curve_samples"].map(lambda blocks: blocks is not None and len(blocks) > 1)
    return runs[(runs["phase"] == "train") & has_curve.astype(bool)]


def _epochs(run: pd.Series) -> float:
    size = run["num_epoch_samples"]
    return float(run["curve_samples"][-1] / size) if size and size > 0 else 0.0


def _at_each_epoch(run: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Epochs 0, 1, 2, ... that the run completed, and the Wh used by the end of each."""
    samples, kwh = curve(run)
    epochs = np.arange(int(_epochs(run)) + 1)
    return epochs, 1000 * np.interp(epochs * float(run["num_epoch_samples"]), samples, kwh)


def _half_width_wh(run: pd.Series, num_epochs: float) -> float:
    """Of the run's mean rate (95 %), for whole epochs; nan where the run has no interval."""
    half_width = pd.to_numeric(run["half_width_kwh_per_sample"])
    return float(1000 * half_width * run["num_epoch_samples"] * num_epochs)


def _one_epoch(run: pd.Series) -> tuple[float, bool]:
    """Wh of the run's first epoch, and whether it is an estimate."""
    samples, kwh = curve(run)
    size = float(run["num_epoch_samples"])
    if samples[-1] >= size:
        return float(1000 * np.interp(size, samples, kwh)), False
    return float(1000 * run["kwh_per_sample"]) * size, True


def _series(
    axes: Axes,
    number: int,
    x: np.ndarray,
    y: np.ndarray,
    label: str,
    errors: np.ndarray,
    hollow: np.ndarray | None = None,
) -> None:
    line = fit_line(x, y)
    text = f"{label}: {line}" if line else f"{label}: two points, no fit"
    _points(axes, number, x, y, errors, hollow, text)
    if line:
        ends = np.asarray([x.min(), x.max()])
        axes.plot(ends, line(ends), color=_color(number), lw=0.8, ls="--" if "*" in label else "-")


def _points(
    axes: Axes,
    number: int,
    x: np.ndarray,
    y: np.ndarray,
    errors: np.ndarray | None,
    hollow: np.ndarray | None = None,
    label: str = "",
) -> None:
    """Points with their intervals; estimated ones hollow."""
    hollow = np.zeros(len(x), bool) if hollow is None else hollow
    marker = look.MARKERS[number % len(look.MARKERS)]
    style: dict[str, Any] = {"color": _color(number), "marker": marker, "ls": "none", "mew": 0.8}
    style |= {"ms": 3.4, "clip_on": False}
    for shown, face, name in (
        (~hollow, _color(number), label),
        (hollow, "none", label * bool(hollow.all())),
    ):
        if shown.any():
            axes.plot(x[shown], y[shown], label=name or "_", mfc=face, **style)
    if errors is not None and np.isfinite(errors).any():
        axes.errorbar(
            x, y, yerr=errors, ls="none", color=_color(number), capsize=1.5, elinewidth=0.6
        )


def _increments(
    axes: Axes, number: int, epochs: np.ndarray, wh: np.ndarray, half_width: float, is_small: bool
) -> None:
    """The Wh of each epoch, their mean, and the interval of the run's rate as a band."""
    _points(axes, number, epochs, wh, None)
    mean, color = float(wh.mean()), _color(number)
    axes.axhline(mean, color=color, lw=0.8, ls="--" if is_small else "-")
    if np.isfinite(half_width):
        axes.axhspan(mean - half_width, mean + half_width, color=color, alpha=0.12, lw=0)


def _color(number: int) -> str:
    return look.CYCLE[number % len(look.CYCLE)]


def _finish(figure: Figure, runs: list[pd.Series], command: str, note: str) -> Figure:
    small = any(bool(run["is_small"]) for run in runs)
    words = ["measured; bars: 95 % interval of the run's rate; lines: least squares"]
    words += [note]
    words += [look.SMALL_LABEL] if small else []
    gone = without_a_record((run["model"] for run in runs), PAPERS, command)
    title = "\n".join(look.wrap(text, 110) for text in ("; ".join(words), gone) if text)
    figure.legend(loc="outside lower center", title=title, title_fontsize=6.5)
    return figure
