"""Columns beside each line of classification: what others measured of the same network, and how
the paper's number and ours stand to it.

J a sample are of one set a column (one board, one scope); the ratio to it takes of ours what the
GPUs used, since the set read its GPU alone. A check says how a number stands to all sets on GPUs,
as `independent.crosscheck` describes. Ours are checked with the rows that they compare with, where
five networks or more are in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from analysis.estimates.measured import Measured
from analysis.estimates.rates import MeasuredRate
from analysis.independent.crosscheck import (
    ESTIMATES,
    PREFERRED,
    cross_check,
    marks,
    published_estimates,
    words,
)
from analysis.independent.facts import PHASES
from analysis.independent.own_file import with_files
from analysis.independent.sets import IndependentSet, all_sets
from analysis.published import facts as published
from analysis.tables.lines import Line

J_PER_KWH = 3.6e6
_OF_A_SET = ("j_per_sample", "scope", "hardware", "source")
_OF_A_CHECK = ("normalised", "num_sets", "scopes", "mark", "check")
INDEPENDENT_COLUMNS = tuple(
    f"independent_{phase}_{name}"
    for phase in PHASES
    for name in (
        *_OF_A_SET,
        "ratio_ours",
        *(f"{name}_{owner}" for owner in ("published", "ours") for name in _OF_A_CHECK),
    )
)
_NUMBERS = ("j_per_sample", "ratio_ours", "normalised", "num_sets")
TEXTS = frozenset(
    name for name in INDEPENDENT_COLUMNS if not any(number in name for number in _NUMBERS)
)


@dataclass(frozen=True)
class Check:
    """normalised: the median over sets of the number's ratio to them, over its neighbours' (1 is
    as expensive as they); scopes: whose energy the sets read; mark: `high`, `low`, `mixed` or `in
    line`; said: all of it in words."""

    normalised: float
    num_sets: int
    scopes: str
    mark: str
    said: str


@dataclass(frozen=True)
class OfSet:
    """What one set of others measured, J a sample, and whose energy on what."""

    j_per_sample: float
    scope: str
    hardware: str
    source: str


Checks = dict[tuple[str, str], Check]
"""(row, phase) -> its check."""


def add_independent(lines: Sequence[Line], files: Sequence[str] = ()) -> None:
    """Written into the lines of ImageNet-1k. `files`: a user's own, see `independent.own_file`.

    Raises `AnalysisError` for a file that cannot be used.
    """
    of_imagenet = [line for line in lines if line.values["dataset"] == published.IMAGENET]
    by_row = checks_of_published(tuple(files)) if of_imagenet else {}
    for line in of_imagenet:
        for phase in PHASES:
            key = line.values["model"], phase
            if (one := of_set(*key, tuple(files))) is not None:
                line.values |= {
                    f"independent_{phase}_{name}": getattr(one, name) for name in _OF_A_SET
                }
            _put(line, phase, "published", by_row.get(key))
    for group in _groups(of_imagenet):
        ours = checks_of([line.measured for line in group if line.measured], tuple(files))
        for line in group:
            for phase in PHASES:
                _put(line, phase, "ours", ours.get((line.values["model"], phase)))
                line.values[f"independent_{phase}_ratio_ours"] = ratio_to_set(
                    line.measured, line.values["model"], phase, tuple(files)
                )


def _put(line: Line, phase: str, owner: str, check: Check | None) -> None:
    if check is None:
        return
    values = (check.normalised, check.num_sets, check.scopes, check.mark, check.said)
    line.values |= {
        f"independent_{phase}_{name}_{owner}": value
        for name, value in zip(_OF_A_CHECK, values, strict=True)
    }


@cache
def _sets(files: tuple[str, ...]) -> list[IndependentSet]:
    return all_sets(with_files(files))


@cache
def checks_of_published(files: tuple[str, ...] = ()) -> Checks:
    """How the paper's numbers of Table 3 stand to what others measured."""
    return _checked(published_estimates(), _sets(files))


def checks_of(rows: Iterable[Measured], files: tuple[str, ...] = ()) -> Checks:
    """The same of rows that compare with each other."""
    estimates = [
        (row.name, phase, rate.kwh_per_sample)
        for row in rows
        for phase in PHASES
        if (rate := rate_of(row, phase)) is not None
    ]
    return _checked(pd.DataFrame(estimates, columns=list(ESTIMATES)), _sets(files))


def of_set(model: str, phase: str, files: tuple[str, ...] = ()) -> OfSet | None:
    """What the phase's preferred set has of a row of Table 3."""
    [one] = [each for each in _sets(files) if each.phase == phase and each.name == PREFERRED[phase]]
    if model not in one.values.index:
        return None
    return OfSet(float(one.values[model]), one.scope, one.hardware, one.source)


def ratio_to_set(
    row: Measured | None, model: str, phase: str, files: tuple[str, ...] = ()
) -> float | None:
    """What our GPUs took for a sample over what the preferred set's GPU took: one scope, two
    boards."""
    one, rate = of_set(model, phase, files), row and rate_of(row, phase)
    if one is None or not rate or rate.gpu_kwh_per_sample is None:
        return None
    return J_PER_KWH * rate.gpu_kwh_per_sample / one.j_per_sample


def rate_of(row: Measured, phase: str) -> MeasuredRate | None:
    return row.train_rate if phase == "train" else row.test_rate


def _checked(estimates: pd.DataFrame, sets: Sequence[IndependentSet]) -> Checks:
    checked = marks(cross_check(estimates, sets))
    return {
        (row["model"], row["phase"]): Check(
            float(row["median"]),
            int(row["num_sets"]),
            row["scopes"],
            row["mark"] or "in line",
            words(row),
        )
        for _, row in checked.iterrows()
    }


def _groups(lines: Sequence[Line]) -> list[list[Line]]:
    """Measured lines that compare with each other."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        if line.measured is not None:
            groups.setdefault(line.measured.comparison_key, []).append(line)
    return list(groups.values())
