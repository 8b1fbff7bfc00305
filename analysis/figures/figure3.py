"""Figure 3: what pre-training on a larger set adds, in accuracy and in electricity."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import look
from analysis.figures.labels import Label, place

Chains = dict[str, tuple[str, ...]]
PANELS: dict[str, Chains] = {
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
            look.FULL_IN, 3.6, ncols=2, sharey=True, width_ratios=(1, 1.2)
        )
        labels: list[list[Label]] = []
        for axes, (family, chains) in zip(panels, PANELS.items(), strict=True):
            labels.append(_panel(axes, known, family, chains))
        panels[0].set_ylabel("top-1 accuracy, %")
        handles = [
            Line2D([], [], color=color, label=f"{first} (left), {second} (right)")
            for color, first, second in zip(COLORS, *PANELS.values(), strict=True)
        ]
        handles += look.kind_handles(known["kind"], bool(known["is_small"].any()))
        figure.legend(handles=handles, loc="outside lower center", ncols=5)
        for axes, chains, named in zip(panels, PANELS.values(), labels, strict=True):
            _name(axes, _inside(known, chains), chains, named)
        return figure


def _inside(rows: pd.DataFrame, chains: Chains) -> pd.DataFrame:
    return rows[rows["model"].isin({name for chain in chains.values() for name in chain})]


def _panel(axes: Axes, rows: pd.DataFrame, family: str, chains: Chains) -> list[Label]:
    inside = _inside(rows, chains)
    axes.set(
        title=f"What pre-training adds to {family}",
        xlabel="electricity of training, kWh, logarithmic",
    )
    if inside.empty:
        return []
    axes.set_xlim(inside["train_kwh"].min() / 6, inside["train_kwh"].max() * 3)
    look.log_axis(axes.xaxis)
    labels: list[Label] = []
    for color, chain in zip(COLORS, chains.values(), strict=True):
        for kind in look.KINDS:
            part = inside[(inside["kind"] == kind) & inside["model"].isin(chain)]
            labels += _chain(axes, part, kind, chain, color)
    low, high = rows["accuracy_pct"].min(), rows["accuracy_pct"].max()
    axes.set_ylim(low - 1.2, high + 1.6)
    return labels


def _name(axes: Axes, inside: pd.DataFrame, chains: Chains, labels: list[Label]) -> None:
    """After everything else: a legend moves the axes under labels that have their place."""
    keep_free = [Label("", x, y, 2.5) for x, y in zip(*_along_arrows(inside, chains), strict=True)]
    place(axes, labels, keep_free, fontsize=5.8)


def _along_arrows(rows: pd.DataFrame, chains: Chains) -> tuple[list[float], list[float]]:
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
) -> list[Label]:
    ordered = [part[part["model"] == model].head(1) for model in chain]
    points = pd.concat([row for row in ordered if not row.empty] or [part.head(0)])
    if points.empty:
        return []
    for is_small, group in points.groupby("is_small"):
        style = look.marker_style(kind, color, bool(is_small))
        axes.scatter(group["train_kwh"], group["accuracy_pct"], s=26, zorder=3, **style)
    first = points.iloc[0]
    labels: list[Label] = []
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
        labels.append(Label(text, row["train_kwh"], row["accuracy_pct"], 3.0, color))
    return labels


def _gain(row: pd.Series, first: pd.Series, chain: tuple[str, ...]) -> str:
    data = next((full for key, full in SETS.items() if key in row["model"]), "")
    if not data:
        return "ImageNet-1k"
    if first["model"] != chain[0]:
        return data
    points = row["accuracy_pct"] - first["accuracy_pct"]
    times = row["train_kwh"] / first["train_kwh"]
    return f"{data}: {points:+.1f} points, {times:.1f}x kWh"
