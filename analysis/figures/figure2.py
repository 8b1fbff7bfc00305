"""Figure 2: the electricity of training over accuracy (a), and the Green Quotient Index over the
electricity (b): the axes as the paper's text describes them."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import look
from analysis.figures.families import COLORS, family
from analysis.figures.labels import Label, place

LABELLED = (
    "MobileNetv2", "MobileNet v3", "ResNet50", "ResNet152", "VGG16", "EfficientNet B0",
    "EfficientNetv2 S", "EfficientNetv2 L", "ViT-L-scratch", "ViT-H-Im21k", "ViT-H-JFT",
    "Swin-T", "Swin-v2-B+PT on Im21k", "DeIT-T-300Ep", "ViT-B-MAE", "Clip-L/14", "BEiTv2-L",
)  # fmt: skip
AXIS_LABELS = {
    "accuracy_pct": "top-1 accuracy, %",
    "train_kwh": "electricity of training, kWh, logarithmic",
    "gqi": "Green Quotient Index",
}


def figure2(rows: pd.DataFrame) -> Figure:
    """Two panels, kWh logarithmic in both; a marker's area grows with its kWh, its colour says
    how the model was trained, its fill whether the number is published, measured or estimated.

    A dashed line in (a) is the Pareto front of rows that compete. `rows`: see `frames.py`; a row
    without accuracy or kWh, or with no GQI, is left out.
    """
    known = rows[(rows["train_kwh"] > 0) & rows["accuracy_pct"].notna()]
    if known.empty:
        return look.absent(
            "Figure 2",
            "No model has both an accuracy and a training total.",
            "python run.py -m experiment=table3",
        )
    with look.look():
        figure, (left, right) = look.new_figure(look.FULL_IN, 4.7, ncols=2)
        _panel(left, known, "accuracy_pct", "train_kwh")
        has_front = _draw_fronts(left, known)
        _panel(right, known[known["gqi"].notna()], "train_kwh", "gqi")
        left.set_title("(a) More accuracy takes more electricity")
        right.set_title("(b) The index takes electricity into account")
        groups = [
            Line2D([], [], ls="none", marker="o", mfc=color, mec="white", label=name)
            for name, color in COLORS.items()
        ]
        kinds = look.kind_handles(known["kind"], bool(known["is_small"].any()))
        handles = [*groups, *kinds, *_sizes(), *([_FRONT] if has_front else [])]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, labelspacing=0.9)
        _name(left, known, "accuracy_pct", "train_kwh")
        _name(right, known[known["gqi"].notna()], "train_kwh", "gqi")
        return figure


_FRONT = Line2D(
    [], [], color=look.GREY, lw=0.9, ls="--", label="Pareto front, read by sensors, one set-up"
)


def _draw_fronts(axes: Axes, rows: pd.DataFrame) -> bool:
    """A line through the Pareto front of each group of rows that compete; whether there is any."""
    on_front = rows[rows["on_front"].astype(bool)]
    for _, front in on_front.groupby("group"):
        ordered = front.sort_values("train_kwh")
        axes.plot(
            ordered["accuracy_pct"],
            ordered["train_kwh"],
            color=look.GREY,
            lw=0.9,
            ls="--",
            zorder=1.5,
        )
    return len(on_front) > 0


def _sizes() -> list[Line2D]:
    """Legend entries of marker sizes: an area in proportion to kWh, over a least one."""
    shown = pd.Series([100.0, 10_000.0, 30_000.0])
    return [
        Line2D(
            [],
            [],
            ls="none",
            marker="o",
            mfc=look.PALE,
            mec="white",
            ms=float(np.sqrt(area)),
            label=f"marker's area: {kwh:,.0f} kWh",
        )
        for kwh, area in zip(shown, marker_area(shown), strict=True)
    ]


def marker_area(kwh: pd.Series) -> np.ndarray:
    """Marker areas in points squared: in proportion to kWh, over a floor that stays visible."""
    return 9 + 130 * kwh.to_numpy(float) / 33337.0


def _panel(axes: Axes, rows: pd.DataFrame, x: str, y: str) -> None:
    for key, part in rows.groupby([rows["model"].map(family), "kind", "is_small"], sort=False):
        group, kind, is_small = cast(tuple[str, look.Kind, bool], key)
        style = look.marker_style(kind, COLORS[group], bool(is_small))
        axes.scatter(part[x], part[y], s=marker_area(part["train_kwh"]), alpha=0.85, **style)
    if rows.empty:
        return
    axes.set(xlabel=AXIS_LABELS[x], ylabel=AXIS_LABELS[y])
    limits = (rows["train_kwh"].min() / 2, rows["train_kwh"].max() * 3)
    axes.margins(0.1)
    axes.set(**{"xlim" if x == "train_kwh" else "ylim": limits})
    look.log_axis(axes.xaxis if x == "train_kwh" else axes.yaxis)
    _link(axes, rows, x, y)


def _name(axes: Axes, rows: pd.DataFrame, x: str, y: str) -> None:
    """After everything else: a legend moves the axes under labels that have their place."""
    chosen = rows[rows["model"].isin(LABELLED) | (rows["kind"] != "published")]
    chosen = chosen.drop_duplicates(["model", "is_small"], keep="first")
    if len(chosen):
        place(axes, _labels(chosen, x, y), _labels(rows, x, y))


def _labels(rows: pd.DataFrame, x: str, y: str) -> list[Label]:
    """Names and markers' radii; the largest marker first, which leaves the least room."""
    ordered = rows.sort_values("train_kwh", ascending=False, kind="stable")
    radii = np.sqrt(marker_area(ordered["train_kwh"])) / 2
    columns = ordered[["model", "is_small", x, y]].itertuples(index=False)
    return [
        Label(str(name) + (" *" if small else ""), float(across), float(up), float(radius))
        for (name, small, across, up), radius in zip(columns, radii, strict=True)
    ]


def _link(axes: Axes, rows: pd.DataFrame, x: str, y: str) -> None:
    """A thin line from a model's published point to each of its others."""
    published = rows[rows["kind"] == "published"].drop_duplicates("model").set_index("model")
    for _, row in rows[rows["kind"] != "published"].iterrows():
        if row["model"] in published.index:
            other = published.loc[row["model"]]
            axes.plot(
                [other[x], row[x]],
                [other[y], row[y]],
                color=look.PALE,
                lw=0.6,
                zorder=0,
            )
