"""Figure 1: the electricity of training a model beside that of a household's appliances."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import look

MODELS = (
    "MobileNetv2",
    "ResNet50",
    "VGG16",
    "RegNetY-16GF",
    "EfficientNetv2 S",
    "Swin-B",
    "EfficientNet B7",
    "ViT-B-Im21k",
    "BEiTv2-B",
    "ViT-H-MAE",
    "Clip-L/14",
    "ViT-H-JFT",
)
# the household of the source that the paper cites, and the shop of its introduction
REFERENCES = ("UK household (Ofgem medium, before Oct 2023)", "UK hypermarket (6262 m2)")
COLORS = {"model": look.VERMILION, "home": look.BLUE}
TITLES = {"model": "training a model, once", "home": "a home or a shop, a month"}
MARKERS = {"model": "o", "home": "s"}


def figure1(
    rows: pd.DataFrame,
    appliances: pd.DataFrame,
    references: pd.DataFrame,
    language_models: pd.DataFrame | None = None,
) -> Figure:
    """Points on one logarithmic axis, a line of the figure each: kWh once to train a model, kWh a
    month of an appliance. A bar's length would mean nothing on such an axis.

    All frames: see `frames.py`. Every source but Table 3 is printed below. What was measured here
    stands hollow, with its interval, on the line of the same model.
    """
    models = rows[rows["model"].isin(MODELS) & (rows["train_kwh"] > 0)]
    homes = pd.concat([appliances, references[references["name"].isin(REFERENCES)]])
    if models.empty or homes.empty:
        return look.absent(
            "Figure 1",
            "No training total and no appliance is known.",
            "python -m analysis figures RUNS --out figures",
        )
    lines = _lines(models, homes, language_models)
    with look.look():
        names, sources = _numbered(lines)
        height = 0.9 + 0.155 * len(lines) + 0.105 * sources.count("\n")
        figure, axes = look.new_figure(look.FULL_IN, height)
        axes.set_yticks(range(len(lines)), names)
        _draw(axes, lines)
        others = models[models["kind"] != "published"]
        _draw_others(axes, lines, others)
        _finish(axes, lines, others)
        figure.supxlabel(
            sources, x=0.01, ha="left", fontsize=5.2, color=look.GREY, linespacing=1.25
        )
        return figure


def _lines(
    models: pd.DataFrame, homes: pd.DataFrame, language_models: pd.DataFrame | None
) -> pd.DataFrame:
    """One line a name: name, kwh, what, source; the published number where there is one."""
    first = models.assign(order=models["kind"] != "published").sort_values("order", kind="stable")
    first = first.drop_duplicates("model")
    parts = [
        pd.DataFrame({"name": first["model"], "kwh": first["train_kwh"], "kind": first["kind"],
                      "what": "model", "source": ""}),
        pd.DataFrame({"name": homes["name"], "kwh": homes["kwh_per_month"], "kind": "published",
                      "what": "home", "source": homes["source"]}),
    ]  # fmt: skip
    if language_models is not None and len(language_models):
        parts.append(
            pd.DataFrame(
                {
                    "name": language_models["name"],
                    "kwh": language_models["train_kwh"],
                    "kind": "published",
                    "what": "model",
                    "source": language_models["source"],
                }
            )
        )
    return pd.concat(parts).sort_values("kwh", kind="stable").reset_index(drop=True)


def _numbered(lines: pd.DataFrame) -> tuple[list[str], str]:
    """Each line's name with the number of its source, and the sources as text."""
    numbers: dict[str, int] = {}
    names = []
    for name, source in lines[["name", "source"]].itertuples(index=False):
        number = numbers.setdefault(str(source), len(numbers) + 1) if source else 0
        names.append(f"{name} [{number}]" if number else str(name))
    sources = [look.wrap(f"[{number}] {source}", 190) for source, number in numbers.items()]
    return names, "Models without a number: the paper's Table 3. Sources:\n" + "\n".join(sources)


def _draw(axes: Axes, lines: pd.DataFrame) -> None:
    for name, part in lines[lines["kind"] == "published"].groupby("what"):
        axes.plot(
            part["kwh"],
            part.index,
            ls="none",
            ms=5,
            color=COLORS[str(name)],
            marker=MARKERS[str(name)],
            label=f"{TITLES[str(name)]} (published)",
        )
    for place, kwh in lines["kwh"].items():
        axes.annotate(
            look.plain_number(kwh),
            (kwh, place),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=6,
        )
    for tick, name in zip(axes.get_yticklabels(), lines["what"], strict=True):
        tick.set_color(look.BLACK if name == "model" else look.BLUE)


def _draw_others(axes: Axes, lines: pd.DataFrame, others: pd.DataFrame) -> None:
    """What is not published, on its model's line, a little above it."""
    places = {str(name): number for number, name in enumerate(lines["name"])}
    for kind, part in others.groupby("kind"):
        y = part["model"].map(places).to_numpy(float) + 0.25
        errors = part["half_width_kwh"].to_numpy(float) if "half_width_kwh" in part else None
        axes.errorbar(
            part["train_kwh"].to_numpy(float),
            y,
            xerr=errors,
            ls="none",
            capsize=1.5,
            ms=4,
            marker="D" if kind == "measured" else "o",
            mfc="none",
            color=look.VERMILION,
            label=f"training a model, once ({kind})",
        )


def _finish(axes: Axes, lines: pd.DataFrame, others: pd.DataFrame) -> None:
    kwh = np.concatenate([lines["kwh"].to_numpy(float), others["train_kwh"].to_numpy(float)])
    axes.set_xlim(kwh.min() / 2, kwh.max() * 6)
    look.log_axis(axes.xaxis)
    axes.set_ylim(-0.7, len(lines) - 0.3)
    axes.set_xlabel("kWh, logarithmic")
    axes.set_title("Training a model once, and using an appliance for a month")
    axes.legend(loc="lower right")
