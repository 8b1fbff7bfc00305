"""Figure A.5: what the choice of alpha and beta does to the Green Quotient Index."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import look
from analysis.figures.families import COLORS, family
from analysis.figures.frames import gqi

ALPHAS = (1, 2, 3, 4, 5, 6, 7, 8)
BETAS = (1, 2, 5, 10)
FOLLOWED = (
    "MobileNetv2",
    "ResNet50",
    "Inception v3",
    "EfficientNetv2 S",
    "EfficientNet B0",
    "Swin-S",
    "DaViT-S",
    "DeIT-B-300Ep",
    "ViT-H-JFT",
    "Swin-v2-B+PT on Im21k",
)


def figure_a5(rows: pd.DataFrame) -> Figure:
    """(a) the rank of models over alpha; (b) the range of all GQIs at alpha 5 over beta, which
    changes no rank. Published numbers; `rows`: see `frames.py`."""
    known = rows[
        (rows["kind"] == "published") & (rows["train_kwh"] > 1) & rows["accuracy_pct"].notna()
    ].drop_duplicates("model")
    if len(known) < 2:
        return look.absent(
            "Figure A.5",
            "Fewer than two models have an accuracy and a training total.",
            "python -m analysis figures RUNS --out figures",
        )
    with look.look():
        figure, (left, right) = look.new_figure(look.FULL_IN, 3.8, ncols=2, width_ratios=(2.1, 1))
        _ranks(left, known)
        _ranges(right, known)
        used = {family(model) for model in known["model"] if model in FOLLOWED}
        handles = [
            Line2D([], [], color=color, label=name)
            for name, color in COLORS.items()
            if name in used
        ]
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=4,
            title="published numbers; grey: the other models",
            title_fontsize=6.5,
        )
        return figure


def _ranks(axes: Axes, rows: pd.DataFrame) -> None:
    ranks = pd.DataFrame(
        {
            alpha: gqi(rows["accuracy_pct"], rows["train_kwh"], alpha)
            .rank(ascending=False, method="first")
            .to_numpy()
            for alpha in ALPHAS
        },
        index=rows["model"],
    )
    for model, line in ranks.iterrows():
        if model not in FOLLOWED:
            axes.plot(ALPHAS, line, color="#E2E2E2", lw=0.5, zorder=1)
    followed = ranks.loc[[model for model in FOLLOWED if model in ranks.index]]
    ends = _apart(followed[ALPHAS[-1]], 2.6)
    for number, (model, line) in enumerate(followed.iterrows()):
        color = COLORS[family(str(model))]
        marker = look.MARKERS[number % len(look.MARKERS)]
        axes.plot(ALPHAS, line, color=color, marker=marker, ms=3.2, zorder=3)
        axes.annotate(
            str(model),
            (ALPHAS[-1], line[ALPHAS[-1]]),
            (ALPHAS[-1] + 0.35, ends[str(model)]),
            fontsize=5.8,
            va="center",
            color=color,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": look.PALE, "lw": 0.4},
        )
    axes.axvline(5, color=look.GREY, lw=0.6, ls=":")
    axes.set(xlabel="alpha (the paper's: 5)", ylabel="rank by GQI (1 is best)", xticks=ALPHAS)
    axes.set_title(f"(a) Alpha changes the ranks of {len(rows)} models")
    axes.set_ylim(len(rows) + 1, 0)
    axes.set_xlim(ALPHAS[0] - 0.2, ALPHAS[-1] + 0.2)


def _apart(places: pd.Series, least: float) -> dict[str, float]:
    """The places of labels in one column, moved down until they are `least` ranks apart."""
    result: dict[str, float] = {}
    last = float("-inf")
    for model, place in places.sort_values().items():
        last = max(float(place), last + least)
        result[str(model)] = last
    return result


def _ranges(axes: Axes, rows: pd.DataFrame) -> None:
    for place, beta in enumerate(BETAS):
        values = gqi(rows["accuracy_pct"], rows["train_kwh"], 5, beta)
        axes.plot(
            [values.min(), values.max()],
            [place] * 2,
            color=look.PALE,
            lw=4,
            solid_capstyle="butt",
            zorder=1,
        )
        axes.scatter(values, [place] * len(values), s=7, color=look.BLUE, alpha=0.5, lw=0)
        axes.text(
            values.min(),
            place + 0.12,
            ha="left",
            s=f"{values.min():.3f} to {values.max():.3f}",
            fontsize=5.8,
        )
    axes.set_yticks(range(len(BETAS)), [str(beta) for beta in BETAS])
    axes.set(xlabel="GQI at alpha 5", ylabel="beta (the paper's: 5)", ylim=(-0.5, len(BETAS) - 0.4))
    axes.set_xlim(0, 1.15 * gqi(rows["accuracy_pct"], rows["train_kwh"], 5, BETAS[-1]).max())
    axes.set_title("(b) Beta changes no rank")
    axes.grid(axis="y", visible=False)
