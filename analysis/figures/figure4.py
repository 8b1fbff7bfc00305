"""Figure 4: self-supervised pre-training, fine-tuning and inference of BEiT and MAE."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures import look

MODELS = ("ViT-B-MAE", "ViT-L-MAE", "ViT-H-MAE", "BEiTv2-B", "BEiTv2-L", "BEiT-L")
STAGES = {"pre-training": look.BLUE, "fine-tuning": look.ORANGE, "inference": look.BLACK}
PRINTED_TOTAL, MEASURED_RATE = "printed total", "measured rate"
STAGE_NAMES = {"pretrain": "pre-training", "finetune": "fine-tuning"}
COMMAND = "python run.py -m experiment=self_supervision"


def figure4(stages: pd.DataFrame) -> Figure:
    """Stacked bars, kWh by stage; inference is one pass over the 50,000 test images and is
    printed as a number, since no bar could show it.

    `stages`: model, kind, stage (a key of `STAGES`), kwh, basis, is_small. Published totals are
    not split in the paper: a split inferred from them arrives as `estimated` and is hatched.
    """
    known = stages[stages["model"].isin(MODELS) & (stages["kwh"] > 0)]
    if not (known["stage"] == "pre-training").any():
        return look.absent(
            "Figure 4", "The cost of pre-training BEiT or MAE is not known.", COMMAND
        )
    with look.look():
        figure, axes = look.new_figure(look.FULL_IN, 3.0)
        bars = [
            (model, basis)
            for model in MODELS
            for basis in (PRINTED_TOTAL, MEASURED_RATE)
            if (
                (known["model"] == model)
                & (known["basis"] == basis)
                & (known["stage"] != "inference")
            ).any()
        ]
        for place, (model, basis) in enumerate(bars):
            _bar(axes, place, known[(known["model"] == model) & (known["basis"] == basis)], basis)
        several = len({basis for _, basis in bars}) > 1
        small = {
            (row["model"], row["basis"])
            for _, row in known[known["is_small"].astype(bool)].iterrows()
        }
        labels = [
            (f"{model}\n{basis}" if several else model) + " *" * ((model, basis) in small)
            for model, basis in bars
        ]
        axes.set_xticks(range(len(bars)), labels)
        axes.grid(axis="x", visible=False)
        axes.set(title="Where a self-supervised model's electricity goes", ylabel="kWh")
        axes.yaxis.set_major_formatter(look.FuncFormatter(look.plain_number))
        axes.margins(y=0.25)
        figure.legend(handles=_handles(bars, bool(small)), loc="outside lower center", ncols=3)
        return figure


def _bar(axes: Axes, place: int, rows: pd.DataFrame, basis: str) -> None:
    base = 0.0
    for stage, color in STAGES.items():
        part = rows[rows["stage"] == stage]
        if part.empty or stage == "inference":
            continue
        kwh = float(part["kwh"].iloc[0])
        axes.bar(place, kwh, 0.62, bottom=base, **_style(basis, color))
        base += kwh
    pretraining = rows[rows["stage"] == "pre-training"]["kwh"].sum()
    share = pretraining / base
    test = rows[rows["stage"] == "inference"]
    inference = f"inference\n{test['kwh'].iloc[0]:.3f} kWh" if not test.empty else ""
    axes.annotate(
        f"{share:.0%} pre-training\n{inference}",
        (place, base),
        (0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=5.8,
    )


def _style(basis: str, color: str) -> dict[str, Any]:
    """Both are estimates; one that rests on a rate measured here has a black rim."""
    style = look.bar_style("estimated", color)
    return style | ({"edgecolor": look.BLACK} if basis == MEASURED_RATE else {})


def _handles(bars: list[tuple[str, str]], any_small: bool) -> list[Patch]:
    words = {
        PRINTED_TOTAL: "estimated split of the published total",
        MEASURED_RATE: "estimated: rate measured here x recipe",
    }
    stages = [Patch(facecolor=color, label=stage) for stage, color in list(STAGES.items())[:2]]
    used = {basis for _, basis in bars}
    return (
        stages
        + [
            Patch(**_style(basis, look.GREY), label=text)
            for basis, text in words.items()
            if basis in used
        ]
        + ([Patch(facecolor="none", edgecolor="none", label=look.SMALL_LABEL)] if any_small else [])
    )
