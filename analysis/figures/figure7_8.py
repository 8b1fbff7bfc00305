"""Figures 7 and 8: is electricity linear in the number of epochs, and in the share of data?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import look
from analysis.figures.measured import compared, curve, fit_line, name_of

COMMAND_7 = "python run.py -m experiment=epochs"
COMMAND_8 = "python run.py -m experiment=data_share"
LEAST_EPOCHS = 2.0


def figure7(runs: pd.DataFrame) -> Figure:
    """kWh used up to the end of each epoch, between the ends of the blocks nearest to it.

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
        figure, axes = look.new_figure(look.FULL_IN, _height(len(long)))
        for number, run in enumerate(long):
            epochs, kwh = _at_each_epoch(run)
            _series(axes, number, epochs, kwh, name_of(dict(run), "device"))
        return _finish(figure, axes, "Electricity over epochs", "epochs of the share of data", long)


def figure8(runs: pd.DataFrame) -> Figure:
    """kWh of one epoch over the share of the data that the epoch has.

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
        figure, axes = look.new_figure(look.FULL_IN, _height(len(groups)))
        used: list[pd.Series] = []
        any_estimated = False
        for number, (values, group) in enumerate(groups):
            points = [_one_epoch(run) for _, run in group.iterrows()]
            hollow = np.asarray([estimated for _, estimated in points])
            any_estimated |= bool(hollow.any())
            x = 100 * group["fraction"].to_numpy(float)
            y = np.asarray([kwh for kwh, _ in points])
            _series(axes, number, x, y, name_of(values, "device"), hollow)
            used.extend(run for _, run in group.iterrows())
        title = "Electricity of an epoch over the share of data"
        axes.set_ylim(bottom=0)
        note = "hollow: estimated, rate x images (the run ended within its first epoch)"
        return _finish(
            figure,
            axes,
            title,
            "share of the training data, %",
            used,
            note if any_estimated else "",
        )


def _height(num_series: int) -> float:
    return 2.7 + 0.13 * num_series


def _train(runs: pd.DataFrame) -> pd.DataFrame:
    has_curve = runs["curve_samples"].map(lambda blocks: blocks is not None and len(blocks) > 1)
    return runs[(runs["phase"] == "train") & has_curve.astype(bool)]


def _epochs(run: pd.Series) -> float:
    size = run["num_epoch_samples"]
    return float(run["curve_samples"][-1] / size) if size and size > 0 else 0.0


def _at_each_epoch(run: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Epochs 0, 1, 2, ... that the run completed, and the kWh used by the end of each."""
    samples, kwh = curve(run)
    epochs = np.arange(int(_epochs(run)) + 1)
    return epochs, np.interp(epochs * float(run["num_epoch_samples"]), samples, kwh)


def _one_epoch(run: pd.Series) -> tuple[float, bool]:
    """kWh of the run's first epoch, and whether it is an estimate."""
    samples, kwh = curve(run)
    size = float(run["num_epoch_samples"])
    if samples[-1] >= size:
        return float(np.interp(size, samples, kwh)), False
    return float(run["kwh_per_sample"]) * size, True


def _series(
    axes: look.Axes,
    number: int,
    x: np.ndarray,
    y: np.ndarray,
    label: str,
    hollow: np.ndarray | None = None,
) -> None:
    color = look.CYCLE[number % len(look.CYCLE)]
    marker = look.MARKERS[number % len(look.MARKERS)]
    line = fit_line(x, y)
    text = f"{label}: {line}" if line else f"{label}: two points, no fit"
    hollow = np.zeros(len(x), bool) if hollow is None else hollow
    style: dict[str, Any] = {"color": color, "marker": marker, "ls": "none", "mew": 0.8}
    axes.plot(x[~hollow], y[~hollow], label=text, **style, markevery=max(1, len(x) // 25))
    axes.plot(x[hollow], y[hollow], mfc="none", **style)
    if line:
        ends = np.asarray([x.min(), x.max()])
        axes.plot(ends, line(ends), color=color, lw=0.8, ls="--" if "*" in label else "-")


def _finish(
    figure: Figure,
    axes: look.Axes,
    title: str,
    x_label: str,
    runs: list[pd.Series],
    note: str = "",
) -> Figure:
    axes.set(title=title, xlabel=x_label, ylabel="kWh")
    axes.margins(x=0.02)
    axes.set_xlim(left=0)
    small = any(bool(run["is_small"]) for run in runs)
    words = ["measured; lines: least squares", *([note] if note else [])]
    words += [look.SMALL_LABEL] if small else []
    figure.legend(loc="outside lower center", title="; ".join(words), title_fontsize=6.5)
    return figure
