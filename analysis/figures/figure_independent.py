"""Ours and the paper's electricity of one image beside what other people measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import look

SCOPES = {
    "gpu": "the GPUs alone",
    "cpu+gpu+ram": "CPU, GPU and RAM",
    "wall": "a meter at the wall",
}
"""Whose energy a panel is about: numbers of two scopes never share an axis."""
PHASES = {"train": "training", "test": "testing"}
COMMAND = "python run.py -m experiment=table3"


def figure_independent(beside: pd.DataFrame) -> Figure:
    """A panel for each phase and scope that other people measured, J an image over networks, in the
    order of the independent numbers; a thin line joins the networks of one set (one source, board
    and batch). Boards differ, so heights say little; the shape of a line does.

    `beside`: see `frames.py`.
    """
    places = [
        (phase, scope)
        for phase in PHASES
        for scope in SCOPES
        if not _of(_of(beside, "kind", "independent"), "phase", phase, "scope", scope).empty
    ]
    if not places:
        return look.absent(
            "Beside other people's measurements", "No independent number is known.", COMMAND
        )
    with look.look():
        num_columns = 2
        num_rows = -(-len(places) // num_columns)
        figure, grid = look.new_figure(
            look.FULL_IN, 0.7 + 2.5 * num_rows, nrows=num_rows, ncols=num_columns, squeeze=False
        )
        for axes, place in zip(grid.flat, places, strict=False):
            _panel(axes, beside, *place)
        for axes in grid.flat[len(places) :]:
            axes.set_axis_off()
        kinds = [kind for kind in look.KINDS if (beside["kind"] == kind).any()]
        handles = [Line2D([], [], label=kind, **_style(kind)) for kind in kinds]
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=len(handles),
            title_fontsize=6.5,
            title="a line joins the networks of one board and batch; boards differ, so compare the "
            "lines' shapes, not their heights",
        )
        return figure


def _of(rows: pd.DataFrame, *pairs: str) -> pd.DataFrame:
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        rows = rows[rows[name] == value]
    return rows


def _panel(axes: Axes, beside: pd.DataFrame, phase: str, scope: str) -> None:
    known = _of(beside, "phase", phase, "scope", scope)
    others = known[known["kind"] == "independent"]
    order = others.groupby("model")["j_per_sample"].median().sort_values().index
    places = {model: at for at, model in enumerate(order)}
    for kind in look.KINDS:
        part = known[(known["kind"] == kind) & known["model"].isin(places)]
        for _, line in part.groupby("where", sort=False):
            joined = line.assign(at=line["model"].map(places)).sort_values("at")
            errors = joined["half_width"].to_numpy(float)
            axes.errorbar(
                joined["at"],
                joined["j_per_sample"],
                capsize=1.5,
                yerr=errors if np.isfinite(errors).any() else None,
                **_style(kind),
            )
    axes.set_xticks(
        range(len(order)),
        [str(model) for model in order],
        rotation=60,
        ha="right",
        rotation_mode="anchor",
        fontsize=5.4,
    )
    axes.set_title(f"{PHASES[phase].capitalize()}, {SCOPES[scope]}")
    axes.set_ylabel("J an image, logarithmic")
    look.log_axis(axes.yaxis)
    axes.set_xlim(-0.6, len(order) - 0.4)


def _style(kind: str) -> dict[str, Any]:
    return {
        "independent": {"color": look.PURPLE, "marker": "^", "mfc": "none", "lw": 0.5, "ms": 3},
        "published": {"color": look.BLUE, "marker": "o", "mec": "white", "mew": 0.4, "lw": 1.0,
                      "ms": 4},
        "measured": {"color": look.VERMILION, "marker": "D", "mec": look.BLACK, "mew": 0.7,
                     "lw": 1.0, "ms": 4},
        "estimated": {"color": look.GREY, "marker": "o", "mfc": "none", "lw": 1.0, "ms": 4},
    }[kind]  # fmt: skip
