"""Figure 1: the electricity of training a model beside that of a household's appliances."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import look

MODELS = (
    "MobileNetv2", "ResNet50", "VGG16", "RegNetY-16GF", "EfficientNetv2 S", "Swin-B",
    "EfficientNet B7", "ViT-B-Im21k", "BEiTv2-B", "ViT-H-MAE", "Clip-L/14", "ViT-H-JFT",
)  # fmt: skip
REFERENCES = ("UK household (Ofgem medium, from Oct 2023)", "UK hypermarket (6262 m2)")

Bar = tuple[str, float, look.Kind, str]  # label, kWh, kind of number, model or home


def figure1(rows: pd.DataFrame, appliances: pd.DataFrame, references: pd.DataFrame) -> Figure:
    """Bars on one logarithmic axis: kWh once to train a model, kWh a month of an appliance.

    `rows`, `appliances`, `references`: see `frames.py`. Every appliance's source is printed
    below. A measured or estimated total stands beside the published one of the same model.
    """
    models = rows[rows["model"].isin(MODELS) & (rows["train_kwh"] > 0)]
    homes = pd.concat([appliances, references[references["name"].isin(REFERENCES)]])
    if models.empty or homes.empty:
        return look.absent(
            "Figure 1",
            "No training total and no appliance is known.",
            "python -m analysis figures RUNS --out figures",
        )
    bars = sorted([*_model_bars(models), *_home_bars(homes)], key=lambda bar: bar[1])
    with look.look():
        sources = _numbered(homes)
        height = 0.8 + 0.155 * len(bars) + 0.105 * sources[1].count("\n")
        figure, axes = look.new_figure(look.FULL_IN, height)
        _draw(axes, bars, sources[0])
        figure.supxlabel(
            sources[1], x=0.01, ha="left", fontsize=5.2, color=look.GREY, linespacing=1.25
        )
        return figure


def _model_bars(models: pd.DataFrame) -> list[Bar]:
    def name(model: str, kind: str, is_small: bool) -> str:
        return model + ("" if kind == "published" else f", {kind}") + (" *" if is_small else "")

    columns = models[["model", "kind", "is_small", "train_kwh"]]
    return [
        (name(m, kind, bool(small)), float(kwh), kind, "model")
        for m, kind, small, kwh in columns.itertuples(index=False)
    ]


def _home_bars(homes: pd.DataFrame) -> list[Bar]:
    columns = homes[["name", "kwh_per_month"]]
    return [(str(n), float(kwh), "published", "home") for n, kwh in columns.itertuples(index=False)]


def _numbered(homes: pd.DataFrame) -> tuple[dict[str, int], str]:
    """The number of each appliance's source, and the list of sources as text."""
    numbers: dict[str, int] = {}
    of_name = {}
    for name, source in homes[["name", "source"]].itertuples(index=False):
        of_name[name] = numbers.setdefault(str(source), len(numbers) + 1)
    lines = [look.wrap(f"[{number}] {source}", 190) for source, number in numbers.items()]
    return of_name, "Sources of the monthly figures:\n" + "\n".join(lines)


def _draw(axes: look.Axes, bars: list[Bar], sources: dict[str, int]) -> None:
    colors = {"model": look.VERMILION, "home": look.SKY}
    for place, (_, kwh, kind, what) in enumerate(bars):
        axes.barh(place, kwh, height=0.72, **look.bar_style(kind, colors[what]))
        axes.text(kwh * 1.12, place, look.plain_number(kwh), va="center", fontsize=6)
    labels = [f"{name} [{sources[name]}]" if name in sources else name for name, *_ in bars]
    axes.set_yticks(range(len(bars)), labels)
    for tick, bar in zip(axes.get_yticklabels(), bars, strict=True):
        tick.set_color(look.BLACK if bar[3] == "model" else look.BLUE)
    axes.set_xlim(2, max(bar[1] for bar in bars) * 4)
    look.log_axis(axes.xaxis)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(-0.7, len(bars) - 0.3)
    axes.set_xlabel("kWh")
    axes.set_title("Training a model once, and using an appliance for a month")
    handles = [
        axes.barh(0, 0, **look.bar_style("published", color), label=label)
        for label, color in (("a model, once", look.VERMILION), ("an appliance, a month", look.SKY))
    ]
    for kind in look.KINDS[1:]:
        if any(bar[2] == kind for bar in bars):
            style = look.bar_style(kind, look.VERMILION)
            handles.append(axes.barh(0, 0, **style, label=f"model, {kind}"))
    axes.legend(handles=handles, loc="lower right")
