"""Columns beside each line of classification: what others measured of the same network, and how
the paper's number and ours stand to it.

J a sample are of one set a column (one board, one scope); a check says how a number stands to all
sets on GPUs, as `independent.crosscheck` describes. Ours are checked with the lines that they
compare with, where five networks or more are in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pandas as pd

from analysis.independent.crosscheck import (
    ESTIMATES,
    PREFERRED,
    cross_check,
    marks,
    published_estimates,
    words,
)
from analysis.independent.facts import PHASES, with_files
from analysis.independent.sets import IndependentSet, all_sets
from analysis.published import facts as published
from analysis.tables.lines import Line

_OF_A_SET = ("j_per_sample", "scope", "hardware", "source")
INDEPENDENT_COLUMNS = tuple(
    f"independent_{phase}_{name}"
    for phase in PHASES
    for name in (*_OF_A_SET, "check_published", "check_ours")
)
TEXTS = frozenset(name for name in INDEPENDENT_COLUMNS if not name.endswith("j_per_sample"))


def add_independent(lines: Sequence[Line], files: Sequence[str] = ()) -> None:
    """Written into the lines of ImageNet-1k. `files`: a user's own, see `independent.facts`.

    Raises `AnalysisError` for a file that cannot be used.
    """
    of_imagenet = [line for line in lines if line.values["dataset"] == published.IMAGENET]
    if not of_imagenet:
        return
    sets, by_row = _known(tuple(files))
    for line in of_imagenet:
        model = line.values["model"]
        for phase in PHASES:
            line.values |= _of_set(model, phase, sets)
            line.values[f"independent_{phase}_check_published"] = by_row.get((model, phase))
    for group in _groups(of_imagenet):
        ours = _checked(_estimates(group), sets)
        for line in group:
            for phase in PHASES:
                said = ours.get((line.values["model"], phase))
                line.values[f"independent_{phase}_check_ours"] = said


@cache
def _known(files: tuple[str, ...]) -> tuple[list[IndependentSet], dict[tuple[str, str], str]]:
    """Every set, and how the paper's numbers stand to them."""
    sets = all_sets(with_files(files))
    return sets, _checked(published_estimates(), sets)


def _of_set(model: str, phase: str, sets: Sequence[IndependentSet]) -> dict[str, object]:
    """J a sample of the phase's preferred set, and what that set is."""
    [one] = [each for each in sets if each.phase == phase and each.name == PREFERRED[phase]]
    if model not in one.values.index:
        return {}
    values = (float(one.values[model]), one.scope, one.hardware, one.source)
    return {
        f"independent_{phase}_{name}": value for name, value in zip(_OF_A_SET, values, strict=True)
    }


def _checked(estimates: pd.DataFrame, sets: Sequence[IndependentSet]) -> dict[tuple[str, str], str]:
    """(model, phase) -> how its number stands to all sets, in words."""
    found = marks(cross_check(estimates, sets))
    return {(row["model"], row["phase"]): words(row) for _, row in found.iterrows()}


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    """Measured lines that compare with each other."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        if line.measured is not None:
            groups.setdefault(line.measured.comparison_key, []).append(line)
    return list(groups.values())


def _estimates(group: Sequence[Line]) -> pd.DataFrame:
    rows = []
    for line in group:
        assert line.measured is not None
        rates = {"train": line.measured.train_rate, "test": line.measured.test_rate}
        rows += [
            (line.values["model"], phase, rate.kwh_per_sample)
            for phase, rate in rates.items()
            if rate is not None
        ]
    return pd.DataFrame(rows, columns=list(ESTIMATES))
