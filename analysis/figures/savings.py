"""What each switch saves: a point and its interval for each, a panel for each model and phase."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.estimates.savings import Saving, Verdict
from analysis.figures import look

TITLE_LETTERS = 50
"""In a line: a panel is as wide as its labels leave it."""
COMMAND = "python run.py -m experiment=savings"
COLORS: dict[Verdict, str] = {
    "saves": look.GREEN,
    "costs more": look.VERMILION,
    "not shown": look.GREY,
    "not repeated": look.GREY,
    "measured apart": look.GREY,
}
MARKERS: dict[Verdict, str] = {
    "saves": "o",
    "costs more": "s",
    "not shown": "x",
    "not repeated": "+",
    "measured apart": "_",
}


def figure_savings(savings: Sequence[Saving]) -> Figure:
    """Change in percent for each sample, of electricity, or of time where energy is modelled from
    it. savings: as `estimates.savings` gives them."""
    panels: dict[tuple[str, str, str], list[Saving]] = {}
    for saving in savings:
        if saving.compared:
            panels.setdefault((saving.model, saving.phase, saving.where), []).append(saving)
    if not panels:
        return look.absent("What saves electricity", "No switch was measured.", COMMAND)
    heights = [
        sum(_label(saving).count("\n") + 1 for saving in of_panel)
        + _title(*name, of_panel).count("\n")
        + 1
        for name, of_panel in panels.items()
    ]
    with look.look():
        figure, rows = look.new_figure(
            look.FULL_IN,
            0.6 + 0.24 * sum(heights) + 0.3 * len(heights),
            nrows=len(panels),
            squeeze=False,
            sharex=True,
            gridspec_kw={"height_ratios": heights},
        )
        for axes, (name, of_panel) in zip(rows[:, 0], panels.items(), strict=True):
            _panel(axes, name, of_panel)
        notes = ["change for each sample, %, with its 95 % interval"]
        if any(saving.energy is None for saving in savings):
            notes.append("time: no sensor read the device that computed")
        if any(saving.is_small for saving in savings):
            notes.append(look.SMALL_LABEL)
        rows[-1, 0].set_xlabel("\n".join(notes))
        return figure


def _title(model: str, phase: str, where: str, savings: Sequence[Saving]) -> str:
    resource = "electricity" if savings[0].energy else "time"
    small = " *" if savings[0].is_small else ""
    title = f"{model}{small}, {phase}, {look.short_device(where)}: {resource}"
    return textwrap.fill(title, TITLE_LETTERS)


def _label(saving: Saving) -> str:
    """A line for each factor, and the verdict."""
    return saving.switch.replace(", ", "\n") + f" ({saving.verdict})"


def _panel(axes: Axes, name: tuple[str, str, str], savings: Sequence[Saving]) -> None:
    axes.set_title(_title(*name, savings))
    axes.axvline(0, color=look.BLACK, linewidth=0.6)
    for place, saving in enumerate(savings):
        ratio = saving.compared
        assert ratio is not None
        low, high = np.nan_to_num([ratio.value - ratio.low, ratio.high - ratio.value])
        axes.errorbar(
            100 * (ratio.value - 1),
            place,
            xerr=[[100 * low], [100 * high]],
            capsize=2,
            linestyle="none",
            color=COLORS[saving.verdict],
            marker=MARKERS[saving.verdict],
        )
    axes.set_yticks(range(len(savings)), [_label(saving) for saving in savings])
    axes.set_ylim(len(savings) - 0.4, -0.6)
    axes.yaxis.grid(False)
