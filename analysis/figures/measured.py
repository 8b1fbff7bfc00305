"""What figures 5 to 8 have in common: choosing comparable runs, and straight-line fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimates.studies import AXES
from analysis.figures.look import short_device
from analysis.records.collection import OWN, apart
from metering.setup import study_key

# what a legend may say of a line
SET_UP = (
    "model",
    "device",
    "batch_size",
    "precision",
    "data",
    "variant",
    "fraction",
    "is_small",
    "collection",
)


@dataclass(frozen=True)
class Line:
    """`y = intercept + slope * x` by least squares. `largest_deviation` is the largest distance
    of a point from the line, as a share of the largest measured value."""

    slope: float
    intercept: float
    r2: float
    largest_deviation: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.intercept + self.slope * x

    def __str__(self) -> str:
        r2 = f"{self.r2:.5f}" if self.r2 > 0.999 else f"{self.r2:.3f}"
        return f"R2 {r2}, largest deviation {100 * self.largest_deviation:.2g} %"


def fit_line(x: np.ndarray, y: np.ndarray) -> Line | None:
    """The line through three or more points; `None` where two points would always fit."""
    if len(np.unique(x)) < 3:
        return None
    slope, intercept = np.polyfit(x, y, 1)
    rest = y - (intercept + slope * x)
    spread = float(((y - y.mean()) ** 2).sum())
    r2 = 1.0 - float((rest**2).sum()) / spread if spread else 1.0
    return Line(float(slope), float(intercept), r2, float(np.abs(rest).max() / np.abs(y).max()))


def compared(runs: pd.DataFrame, over: str) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Lines of a study: runs of one phase that differ in `over` (of `AXES`), and in nothing else
    of their set-ups, of one collection of records and two or more values of it; the newest record
    of each value stands for it."""
    usable = runs[runs["kwh_per_sample"] > 0]
    keys = [
        apart(study_key(setup, AXES[over]), collection)
        for setup, collection in zip(usable["setup"], usable["collection"], strict=True)
    ]
    lines = []
    for _, group in usable.groupby([keys, usable["phase"].to_numpy()], sort=False):
        one_each = group.drop_duplicates(over, keep="last").sort_values(over)
        if len(one_each) >= 2:
            values = one_each.iloc[-1].to_dict()
            lines.append(({name: values[name] for name in SET_UP if name != over}, one_each))
    yield from sorted(lines, key=lambda line: tuple(map(str, line[0].values())))


def curve(run: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Samples seen and kWh used up to the end of each block, both from 0."""
    samples = np.asarray([0, *run["curve_samples"]], float)
    return samples, np.asarray([0.0, *run["curve_kwh"]], float)


def name_of(values: dict[str, Any], *also: str) -> str:
    """A legend's text: the model, what else differs, another's records, and the mark of a
    scaled-down study."""
    words = [str(values["model"])]
    for key in also:
        words.append(short_device(values[key]) if key == "device" else str(values[key]))
    if values["collection"] not in ("", OWN):
        words.append(str(values["collection"]))
    return ", ".join(words) + (" *" if values["is_small"] else "")


def without_a_record(drawn: Iterable[str], papers: Sequence[str], command: str) -> str:
    """What a figure says of the paper's networks that no record here is of, with the command that
    measures them; empty where there are none."""
    gone = [name for name in papers if name not in set(drawn)]
    if not gone:
        return ""
    return f"no record here of {', '.join(gone)}: {command} model={','.join(gone)}"
