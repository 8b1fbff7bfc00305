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
    for one in savings:
        if one.compared:
            panels.setdefault((one.model, one.phase, one.where), []).append(one)
    if not panels:
        return look.absent("What saves electricity", "No switch was measured.", COMMAND)
    heights = [
        sum(_label(one).count("\n") + 1 for one in some) + _title(*name, some).count("\n") + 1
        for name, some in panels.items()
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
        for axes, (name, some) in zip(rows[:, 0], panels.items(), strict=True):
            _panel(axes, name, some)
        notes = ["change for each sample, %, with its 95 % interval"]
        if any(one.energy is None for one in savings):
            notes.append("time: no sensor read the device that computed")
        if any(one.is_small for one in savings):
            notes.append(look.SMALL_LABEL)
        rows[-1, 0].set_xlabel("\n".join(notes))
        return figure


def _title(model: str, phase: str, where: str, savings: Sequence[Saving]) -> str:
    what = "electricity" if savings[0].energy else "time"
    small = " *" if savings[0].is_small else ""
    title = f"{model}{small}, {phase}, {look.short_device(where)}: {what}"
    return textwrap.fill(title, TITLE_LETTERS)


def _label(one: Saving) -> str:
    """A line for each factor, and the verdict."""
    return one.switch.replace(", ", "\n") + f" ({one.verdict})"


def _panel(axes: Axes, name: tuple[str, str, str], savings: Sequence[Saving]) -> None:
    axes.set_title(_title(*name, savings))
    axes.axvline(0, color=look.BLACK, linewidth=0.6)
    for place, one in enumerate(savings):
        ratio = one.compared
        assert ratio is not None
        low, high = np.nan_to_num([ratio.value - ratio.low, ratio.high - ratio.value])
        axes.errorbar(
            100 * (ratio.value - 1),
            place,
            xerr=[[100 * low], [100 * high]],
            capsize=2,
            linestyle="none",
            color=COLORS[one.verdict],
            marker=MARKERS[one.verdict],
        )
    axes.set_yticks(range(len(savings)), [_label(one) for one in savings])
    axes.set_ylim(len(savings) - 0.4, -0.6)
    axes.yaxis.grid(False)
