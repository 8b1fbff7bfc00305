"""One panel of Figure 5 or 6: what was measured here, or what other people measured, beside what
was measured here at the paper's size, of one phase and one scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.figures import look
from analysis.figures.independent_studies import PAPERS_BATCH_SIZE, lines_of
from analysis.figures.measured import compared, name_of

PER_1000_OF_KWH = 1e6
MOST_LETTERS = 48
"""Of the names of devices beside each other."""
NARROW = 5
"""An axis over a smaller ratio has all its ticks labelled."""
COLUMNS = {"cpu+gpu+ram": "kwh_per_sample", "gpu": "gpu_kwh_per_sample"}


@dataclass(frozen=True)
class Study:
    """runs, others: see `frames.py`; over: what the runs of a line differ in, `device` or
    `batch_size`; also: what a legend's text says beside the model; styles: of each text, the same
    in every panel."""

    runs: pd.DataFrame
    others: pd.DataFrame
    over: str
    also: tuple[str, ...]
    styles: dict[str, dict[str, Any]] = field(default_factory=dict)

    def style_of(self, label: str, *, is_small: bool) -> dict[str, Any]:
        number = len(self.styles)
        return self.styles.setdefault(
            label,
            {
                "color": look.CYCLE[number % len(look.CYCLE)],
                "marker": look.MARKERS[number % len(look.MARKERS)],
                "ls": ":" if is_small else "-",
            },
        )

    def others_style_of(self, label: str) -> dict[str, Any]:
        number = sum(style["marker"] == "^" and "mfc" in style for style in self.styles.values())
        return self.styles.setdefault(
            label,
            {
                "color": look.CYCLE[(number + 4) % len(look.CYCLE)],
                "marker": "^",
                "mfc": "none",
                "lw": 0.6,
                "ls": ("-", "--", "-.")[number % 3],
            },
        )


@dataclass(frozen=True)
class _Line:
    """x: values of what the line is over; y, errors: Wh per 1,000 images."""

    label: str
    x: list[Any]
    y: np.ndarray
    style: dict[str, Any]
    errors: np.ndarray | None = None


def draw_ours(axes: Axes, study: Study, phase: str) -> bool:
    """All that the study's runs read, scaled-down ones too. Whether there was anything to draw."""
    return _draw(axes, study, _ours(study, study.runs, phase, "cpu+gpu+ram"))


def draw_others(axes: Axes, study: Study, phase: str) -> str | None:
    """What others measured, and of ours at full size the energy of the same components. Its scope,
    None where there was nothing to draw."""
    scope, lines = lines_of(study.others, study.over, phase)
    if not lines:
        return None
    full = study.runs[~study.runs["is_small"].astype(bool)]
    if study.over == "device":
        full = full[full["batch_size"] == PAPERS_BATCH_SIZE]
    drawn = [*_others(study, lines), *_ours(study, full, phase, scope)]
    _draw(axes, study, drawn)
    return scope


def _draw(axes: Axes, study: Study, lines: list[_Line]) -> bool:
    if not lines:
        return False
    values = list(dict.fromkeys(value for line in lines for value in line.x))
    if study.over == "batch_size":
        values.sort()
    places = {value: at for at, value in enumerate(values)}
    for drawn, line in enumerate(lines):
        step = 0.05 * (drawn % 5 - 1)  # side by side: no point hides another
        x = [
            places[value] + step if study.over == "device" else value * 2.0**step
            for value in line.x
        ]
        axes.errorbar(x, line.y, yerr=line.errors, capsize=2, label=line.label, **line.style)
    look.log_axis(axes.yaxis)
    low, high = axes.get_ylim()
    if high < NARROW * low:
        axes.yaxis.set_minor_formatter(FuncFormatter(look.plain_number))
    if study.over == "device":
        width = min(10, max(6, MOST_LETTERS // len(values)))
        names = [look.wrap(value.replace("-", " "), width) for value in values]
        axes.set_xticks(list(places.values()), names, fontsize=6.5 if len(values) < 6 else 5.4)
        axes.set_xlim(-0.4, len(places) - 0.6)
    else:
        axes.set_xscale("log", base=2)
        shown = [value for value in values if value & (value - 1) == 0 or len(values) < 6]
        axes.set_xticks(shown, [str(value) for value in shown])
        axes.xaxis.minorticks_off()
        axes.set_xlabel("batch size, logarithmic")
        axes.xaxis.grid(True)
    return True


def _ours(study: Study, runs: pd.DataFrame, phase: str, scope: str) -> list[_Line]:
    column = COLUMNS[scope]
    lines = []
    for values, group in compared(runs[runs["phase"] == phase], study.over):
        if column not in group or group[column].isna().any():
            continue
        label = name_of(values, *study.also)
        if study.also == ("batch_size",):
            label = label.replace(f", {values['batch_size']}", f", batch {values['batch_size']}")
        errors = None  # of the GPUs' own share it is not known
        if scope == "cpu+gpu+ram":
            errors = pd.to_numeric(group["half_width_kwh_per_sample"]).to_numpy(float)
            errors = PER_1000_OF_KWH * errors
        lines.append(
            _Line(
                label,
                _x_of(group[study.over]),
                PER_1000_OF_KWH * group[column].to_numpy(float),
                study.style_of(label, is_small=bool(values["is_small"])),
                errors,
            )
        )
    return lines


def _x_of(values: pd.Series) -> list[Any]:
    """Batch sizes as they are; devices without their maker's name, which some leave out."""
    return [look.short_device(value) if isinstance(value, str) else int(value) for value in values]


def _others(study: Study, groups: list[pd.DataFrame]) -> list[_Line]:
    lines = []
    for group in groups:
        line = group.iloc[0]
        on = line["software"] if study.over == "device" else look.short_device(line["device"])
        label = f"{line['model']}, {on} ({line['source']})"
        lines.append(
            _Line(
                label,
                _x_of(group[study.over]),
                group["wh_per_1000"].to_numpy(float),
                study.others_style_of(label),
            )
        )
    return lines
