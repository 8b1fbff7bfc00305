"""The one look of all figures: sizes, colours, how each kind of number is drawn, its legend.

Colours are Okabe and Ito's (2008), told apart with any colour vision; a second cue (fill,
hatch, marker) always says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

Kind = Literal["published", "measured", "estimated", "independent"]
KINDS: tuple[Kind, ...] = ("independent", "published", "measured", "estimated")

COLUMN_IN = 3.3
FULL_IN = 6.9

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY, PALE = "#555555", "#BBBBBB"

SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "xtick.minor.pad": 4.9,  # the baseline of the major ticks' labels
    "ytick.minor.pad": 4.9,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "watt-for-what",  # the same figure is the same file, byte for byte
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a model's name is text, whatever characters it has
}


@contextmanager
def look() -> Iterator[None]:
    """Draw and save inside this."""
    with plt.rc_context(SETTINGS):
        yield


def new_figure(width_in: float, height_in: float, **subplots: Any) -> tuple[Figure, Any]:
    """A figure of our size with its axes; not registered with pyplot, so nothing leaks."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.subplots(**subplots)
    return figure, axes


def plain_number(value: float, _position: int = 0) -> str:
    """`1000` as `1,000` and `0.001` as it is: no exponents, no mathematics markup."""
    return f"{value:,.0f}" if abs(value) >= 1 else f"{value:g}"


def log_axis(axis: Any) -> None:
    """A base-10 logarithmic axis with plain tick labels. `axis`: `axes.xaxis` or `axes.yaxis`."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_formatter(FuncFormatter(plain_number))
    low, high = axis.get_view_interval()
    crowded = high / max(low, 1e-30) > 60
    axis.set_minor_formatter(NullFormatter() if crowded else FuncFormatter(_one_two_five))


def _one_two_five(value: float, _position: int = 0) -> str:
    return plain_number(value) if f"{value:e}"[0] in "125" else ""


def marker_style(kind: Kind, color: str, is_small: bool = False) -> dict[str, Any]:
    """Keywords of `Axes.scatter`: published filled, measured a ringed diamond, estimated hollow,
    independent a hollow triangle.
    A scaled-down study (`is_small`) has a dotted rim."""
    style: dict[str, Any] = {
        "published": {"marker": "o", "facecolors": color, "edgecolors": "white", "linewidths": 0.4},
        "measured": {"marker": "D", "facecolors": color, "edgecolors": BLACK, "linewidths": 0.9},
        "estimated": {"marker": "o", "facecolors": "none", "edgecolors": color, "linewidths": 1.1},
        "independent": {
            "marker": "^",
            "facecolors": "none",
            "edgecolors": color,
            "linewidths": 0.8,
        },
    }[kind]
    if is_small:
        style |= {"linestyles": (0, (1, 0.8)), "edgecolors": BLACK if kind == "measured" else color}
    return style


def bar_style(kind: Kind, color: str) -> dict[str, Any]:
    """Keywords of `Axes.bar`: published filled, measured with a black rim, estimated hatched."""
    return {
        "published": {"facecolor": color, "edgecolor": "white", "linewidth": 0.4},
        "measured": {"facecolor": color, "edgecolor": BLACK, "linewidth": 1.0},
        "estimated": {
            "facecolor": to_rgba(color, 0.2),
            "edgecolor": color,
            "hatch": "/////",
            "linewidth": 0.8,
        },
    }[kind]


def kind_handles(kinds: Iterable[str], any_small: bool = False) -> list[Line2D]:
    """Legend entries for the kinds of number that a figure shows, in one order."""
    present = set(kinds)
    handles = [_handle(kind) for kind in KINDS if kind in present]
    if any_small:
        handles.append(
            Line2D([], [], ls="none", marker="o", mfc="none", mec=GREY, mew=0.6, label=SMALL_LABEL)
        )
    return handles


SMALL_LABEL = "* small: scaled-down study"


def _handle(kind: Kind) -> Line2D:
    look_of: dict[str, Any] = {
        "published": {"marker": "o", "mfc": GREY, "mec": "white"},
        "measured": {"marker": "D", "mfc": GREY, "mec": BLACK},
        "estimated": {"marker": "o", "mfc": "none", "mec": GREY},
        "independent": {"marker": "^", "mfc": "none", "mec": GREY},
    }[kind]
    return Line2D([], [], ls="none", label=kind, **look_of)


def short_device(name: object) -> str:
    """A device's name without its maker's: `NVIDIA GeForce RTX 3090` is `RTX 3090`."""
    words = [word for word in str(name).split() if word not in ("NVIDIA", "Tesla", "GeForce")]
    return " ".join(words) or str(name)


def absent(title: str, why: str, command: str) -> Figure:
    """The figure that says that its data were never measured, and how to measure them."""
    with look():
        figure, axes = new_figure(COLUMN_IN, 2.2)
        axes.set_axis_off()
        axes.set_title(title)
        axes.text(
            0.5,
            0.72,
            "not measured",
            ha="center",
            va="center",
            fontsize=13,
            color=GREY,
            transform=axes.transAxes,
        )
        axes.text(0.5, 0.48, wrap(why, 62), ha="center", va="center", transform=axes.transAxes)
        axes.text(
            0.5,
            0.16,
            "to measure it:\n" + wrap(command, 54),
            ha="center",
            va="center",
            family="DejaVu Sans Mono",
            fontsize=5.8,
            transform=axes.transAxes,
        )
        figure.set_label("absent")
        return figure


def wrap(text: str, width: int) -> str:
    """`text` in lines of at most `width` characters, words whole where they fit."""
    import textwrap

    return "\n".join(textwrap.wrap(text, width, break_on_hyphens=False))
