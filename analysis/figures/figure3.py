"""Figure 3: what pre-training on a larger set adds, in accuracy and in electricity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import look

PANELS: dict[str, dict[str, tuple[str, ...]]] = {
    "Swin": {
        "Swin-B": ("Swin-B", "Swin-B+PT on Im21k"),
        "Swin-v2-B": ("Swin-v2-B", "Swin-v2-B+PT on Im21k"),
    },
    "ViT": {
        "ViT-B": ("ViT-B-scratch", "ViT-B-Im21k", "ViT-B-JFT"),
        "ViT-L": ("ViT-L-scratch", "ViT-L-Im21k", "ViT-L-JFT"),
    },
}
COLORS = (look.BLUE, look.VERMILION)
SETS = {"Im21k": "ImageNet-21k", "JFT": "JFT-300M"}


def figure3(rows: pd.DataFrame) -> Figure:
    """Arrows from a network trained on ImageNet-1k alone to the same one pre-trained first.

    `rows`: see `frames.py`. Beside each arrow: points of top-1 gained and times the electricity.
    """
    names = {name for panel in PANELS.values() for chain in panel.values() for name in chain}
    known = rows[rows["model"].isin(names) & (rows["train_kwh"] > 0) & rows["accuracy_pct"].notna()]
    if known.empty:
        return look.absent(
            "Figure 3",
            "No Swin or ViT has both an accuracy and a training total.",
            "python run.py -m experiment=pretraining",
        )
    with look.look():
        figure, panels = look.new_figure(
            look.FULL_IN, 3.4, ncols=2, sharey=True, width_ratios=(1, 1.2)
        )
        for axes, (family, chains) in zip(panels, PANELS.items(), strict=True):
            _panel(axes, known, family, chains)
        panels[0].set_ylabel("top-1 accuracy, %")
        handles = [
            Line2D([], [], color=color, label=f"{first} (left), {second} (right)")
            for color, first, second in zip(COLORS, *PANELS.values(), strict=True)
        ]
        handles += look.kind_handles(known["kind"], bool(known["is_small"].any()))
        figure.legend(handles=handles, loc="outside lower center", ncols=5)
        return figure


def _panel(axes: Axes, rows: pd.DataFrame, family: str, chains: dict[str, tuple[str, ...]]) -> None:
    inside = rows[rows["model"].isin({name for chain in chains.values() for name in chain})]
    axes.set(title=family, xlabel="electricity of training, kWh")
    if inside.empty:
        return
    axes.set_xlim(inside["train_kwh"].min() / 6, inside["train_kwh"].max() * 2)
    look.log_axis(axes.xaxis)
    texts: list[Any] = []
    for color, chain in zip(COLORS, chains.values(), strict=True):
        for kind in look.KINDS:
            part = inside[(inside["kind"] == kind) & inside["model"].isin(chain)]
            texts += _chain(axes, part, kind, chain, color)
    low, high = rows["accuracy_pct"].min(), rows["accuracy_pct"].max()
    axes.set_ylim(low - 1.2, high + 1.6)
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    look.place_labels(axes, texts, *_along_arrows(inside, chains))


def _along_arrows(
    rows: pd.DataFrame, chains: dict[str, tuple[str, ...]]
) -> tuple[list[float], list[float]]:
    """Points that labels must keep off: the markers and the arrows between them."""
    x, y = rows["train_kwh"].to_list(), rows["accuracy_pct"].to_list()
    for chain in chains.values():
        for _, part in rows[rows["model"].isin(chain)].groupby("kind"):
            ends = part.drop_duplicates("model").set_index("model")
            if chain[0] not in ends.index:
                continue
            first = ends.loc[chain[0]]
            for _, last in ends.drop(chain[0]).iterrows():
                steps = np.linspace(0.0, 1.0, 20)
                x += list(np.geomspace(first["train_kwh"], last["train_kwh"], 20))
                y += list(first["accuracy_pct"] * (1 - steps) + last["accuracy_pct"] * steps)
    return x, y


def _chain(
    axes: Axes, part: pd.DataFrame, kind: look.Kind, chain: tuple[str, ...], color: str
) -> list[Any]:
    ordered = [part[part["model"] == model].head(1) for model in chain]
    points = pd.concat([row for row in ordered if not row.empty] or [part.head(0)])
    if points.empty:
        return []
    for is_small, group in points.groupby("is_small"):
        style = look.marker_style(kind, color, bool(is_small))
        axes.scatter(group["train_kwh"], group["accuracy_pct"], s=26, zorder=3, **style)
    first = points.iloc[0]
    texts: list[Any] = []
    for _, row in points.iterrows():
        star = " *" if row["is_small"] else ""
        if row["model"] != first["model"] and first["model"] == chain[0]:
            axes.annotate(
                "",
                (row["train_kwh"], row["accuracy_pct"]),
                (first["train_kwh"], first["accuracy_pct"]),
                arrowprops={
                    "arrowstyle": "->",
                    "color": color,
                    "lw": 0.9,
                    "shrinkA": 3,
                    "shrinkB": 3,
                },
            )
        text = _gain(row, first, chain) + star
        side: dict[str, Any] = (
            {"ha": "left", "va": "top"} if row["model"] == chain[0] else {"ha": "right"}
        )
        lift = -0.1 if row["model"] == chain[0] else 0.25
        spot = (row["train_kwh"] * (1.05 if lift < 0 else 0.95), row["accuracy_pct"] + lift)
        texts.append(axes.text(*spot, text, fontsize=5.8, color=color, **side))
    return texts


def _gain(row: pd.Series, first: pd.Series, chain: tuple[str, ...]) -> str:
    data = next((full for key, full in SETS.items() if key in row["model"]), "")
    if not data:
        return "ImageNet-1k"
    if first["model"] != chain[0]:
        return data
    points = row["accuracy_pct"] - first["accuracy_pct"]
    times = row["train_kwh"] / first["train_kwh"]
    return f"{data}: {points:+.1f} points, {times:.1f}x kWh"
