"""Figure 2: accuracy (a) and the Green Quotient Index (b) against the electricity of training."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import look
from analysis.figures.families import COLORS, family

LABELLED = (
    "MobileNetv2", "MobileNet v3", "ResNet50", "ResNet152", "VGG16", "EfficientNet B0",
    "EfficientNetv2 S", "EfficientNetv2 L", "ViT-L-scratch", "ViT-H-Im21k", "ViT-H-JFT",
    "Swin-T", "Swin-v2-B+PT on Im21k", "DeIT-T-300Ep", "ViT-B-MAE", "Clip-L/14", "BEiTv2-L",
)  # fmt: skip


def figure2(rows: pd.DataFrame) -> Figure:
    """Two panels over log10 kWh; a marker's area grows with its kWh, its colour says how the
    model was trained, its fill whether the number is published, measured or estimated.

    `rows`: see `frames.py`; a row without accuracy or kWh, or with no GQI, is left out.
    """
    known = rows[(rows["train_kwh"] > 0) & rows["accuracy_pct"].notna()]
    if known.empty:
        return look.absent(
            "Figure 2",
            "No model has both an accuracy and a training total.",
            "python run.py -m experiment=table3",
        )
    with look.look():
        figure, (left, right) = look.new_figure(look.FULL_IN, 4.3, ncols=2)
        _panel(left, known, "accuracy_pct", "(a) Accuracy", "top-1 accuracy, %")
        _panel(right, known[known["gqi"].notna()], "gqi", "(b) GQI", "Green Quotient Index")
        groups = [
            Line2D([], [], ls="none", marker="o", mfc=color, mec="white", label=name)
            for name, color in COLORS.items()
        ]
        kinds = look.kind_handles(known["kind"], bool(known["is_small"].any()))
        figure.legend(handles=[*groups, *kinds], loc="outside lower center", ncols=4)
        return figure


def marker_area(kwh: pd.Series) -> np.ndarray:
    """Marker areas in points squared: in proportion to kWh, over a floor that stays visible."""
    return 9 + 130 * kwh.to_numpy(float) / 33337.0


def _panel(axes: Axes, rows: pd.DataFrame, column: str, title: str, label: str) -> None:
    for key, part in rows.groupby([rows["model"].map(family), "kind", "is_small"], sort=False):
        group, kind, is_small = cast(tuple[str, look.Kind, bool], key)
        style = look.marker_style(kind, COLORS[group], bool(is_small))
        axes.scatter(
            part["train_kwh"], part[column], s=marker_area(part["train_kwh"]), alpha=0.85, **style
        )
    if rows.empty:
        return
    axes.set(title=title, ylabel=label, xlabel="electricity of training, kWh")
    axes.set_xlim(rows["train_kwh"].min() / 1.8, rows["train_kwh"].max() * 2.2)
    axes.margins(y=0.1)
    look.log_axis(axes.xaxis)
    _link(axes, rows, column)
    chosen = rows[rows["model"].isin(LABELLED) | (rows["kind"] != "published")]
    chosen = chosen.drop_duplicates(["model", "is_small"], keep="first")
    texts = [
        axes.text(x, y, name + (" *" if small else ""), fontsize=5.4)
        for x, y, name, small in chosen[["train_kwh", column, "model", "is_small"]].itertuples(
            index=False
        )
    ]
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    look.place_labels(axes, texts, *_rims(axes, rows, column))


def _rims(axes: Axes, rows: pd.DataFrame, column: str) -> tuple[list[float], list[float]]:
    """The centre of every marker, and eight points of a large one's rim, in data coordinates."""
    large = rows[marker_area(rows["train_kwh"]) > 40]
    centres = axes.transData.transform(rows[["train_kwh", column]].to_numpy(float))
    figure = axes.get_figure(root=True)
    assert figure is not None
    radii = np.sqrt(marker_area(large["train_kwh"]) / np.pi) * figure.dpi / 72
    middles = axes.transData.transform(large[["train_kwh", column]].to_numpy(float))
    turns = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    rims = (middles[:, None] + radii[:, None, None] * circle).reshape(-1, 2)
    x, y = axes.transData.inverted().transform(np.concatenate([centres, rims])).T
    return list(x), list(y)


def _link(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    """A thin line from a model's published point to each of its others."""
    published = rows[rows["kind"] == "published"].drop_duplicates("model").set_index("model")
    for _, row in rows[rows["kind"] != "published"].iterrows():
        if row["model"] in published.index:
            other = published.loc[row["model"]]
            axes.plot(
                [other["train_kwh"], row["train_kwh"]],
                [other[column], row[column]],
                color=look.PALE,
                lw=0.6,
                zorder=0,
            )
