"""Rows of the tidy DataFrame into rows of a table.

Runs with one merge key are repetitions of one measurement and give one rate. Stages and phases
with one row key are one row; where a stage was measured in several ways that never merge, each is
a row of its own, to which the other stages attach. Nothing is ever a mean over unlike runs, nor
over runs of two collections (`records.collection`).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.estimates.between_runs import pooled_spread
from analysis.estimates.measured import Measured, measured
from analysis.estimates.rates import Pooled, Spreads
from analysis.estimates.run import Run
from analysis.estimates.tiers import is_at_recipe_size
from analysis.estimates.trainings import add_parts
from analysis.records.collection import apart
from analysis.records.sweeps import with_sweeps
from metering.setup import hardware_key, row_key

Bundle = dict[tuple[str, str], list[Run]]
"""(stage, phase) -> runs that are repetitions of each other, oldest first."""


def merge(frame: pd.DataFrame) -> list[Measured]:
    """Finished runs with a rate, merged. `frame` is what `load` gives. Sorted by task, model and
    what else a table shows."""
    rows: dict[str, dict[str, list[Run]]] = {}
    for run in _runs(frame):
        rows.setdefault(run.row_key, {}).setdefault(run.merge_key, []).append(run)
    spreads, in_sweeps = _spreads(rows), _spreads(rows, in_sweeps=True)
    merged = [
        measured(key, bundle, spreads, in_sweeps)
        for key, setups in rows.items()
        for bundle in _bundles(setups)
    ]
    return sorted(merged, key=lambda row: row.order)


def _runs(frame: pd.DataFrame) -> Iterator[Run]:
    """Usable rows, oldest first, with their keys."""
    frame = add_parts(with_sweeps(frame))
    usable = frame[(frame["status"] == "finished") & frame["kwh_per_sample"].notna()]
    usable = usable.sort_values("started_s", kind="stable", na_position="first")
    keys: dict[tuple[Any, ...], tuple[bool, str, str]] = {}
    columns = (_plain(usable[name]) for name in Run.COLUMNS)
    for order, values in enumerate(zip(*columns, strict=True)):
        row = dict(zip(Run.COLUMNS, values, strict=True))
        about = (row["merge_key"], row["recipe"], row["paper_row"], row["size_px"])
        if about not in keys:
            size_px = None if row["size_px"] is None else int(row["size_px"])
            fits = is_at_recipe_size(row["setup"], row["recipe"] or (), row["paper_row"], size_px)
            keys[about] = fits, row_key(row["setup"], fits), hardware_key(row["setup"])
        fits, *both = keys[about]
        key, hardware = (apart(base, str(row["collection"])) for base in both)
        yield Run(row, order, is_at_recipe_size=fits, row_key=key, hardware_key=hardware)


def _plain(column: pd.Series) -> list[Any]:
    """Python values, None for absent: equal keys compare equal, NaN would not."""
    values = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    absent = column.isna()
    if not absent.any():
        return list(values.tolist())
    return [None if gone else value for value, gone in zip(values, absent, strict=True)]


def _spreads(rows: Mapping[str, Mapping[str, Sequence[Run]]], in_sweeps: bool = False) -> Spreads:
    """(hardware key of one collection, phase) -> how much repeated runs differ on it. in_sweeps:
    only how much those of one sweep do, without what changes from sweep to sweep."""
    repeated: dict[tuple[str, str], list[list[Run]]] = {}
    for setups in rows.values():
        for runs in setups.values():
            alike: dict[tuple[str, int], list[Run]] = {}
            for run in runs:
                alike.setdefault((run.phase, run.sweep * in_sweeps), []).append(run)
            for (phase, _), several in alike.items():
                if len(several) > 1:
                    repeated.setdefault((runs[0].hardware_key, phase), []).append(several)
    return {
        key: Pooled(
            pooled_spread([run.kwh_per_sample for run in runs] for runs in setups),
            pooled_spread(
                [run["s_per_sample"] for run in runs if run["s_per_sample"]] for runs in setups
            ),
        )
        for key, setups in repeated.items()
    }


def _bundles(setups: Mapping[str, Sequence[Run]]) -> Iterator[Bundle]:
    """The rows of one row key, each with one merge key per stage and phase. setups: merge key ->
    runs."""
    stages: dict[str, dict[str, Bundle]] = {}
    for key, runs in setups.items():
        for run in runs:
            bundle = stages.setdefault(run.stage, {}).setdefault(key, {})
            bundle.setdefault((run.stage, run.phase), []).append(run)
    ways = [_ways(bundles) for bundles in stages.values()]
    for chosen in itertools.product(*ways):
        yield {phase: runs for bundle in chosen for phase, runs in bundle.items()}


def _ways(bundles: Mapping[str, Bundle]) -> list[Bundle]:
    """The ways in which one stage was measured. bundles: merge key -> its phases. Where two keys
    have one phase, each is another way; a key all of whose phases are its alone attaches to all."""
    counts = Counter(phase for bundle in bundles.values() for phase in bundle)
    ways: list[Bundle] = []
    shared: Bundle = {}
    for bundle in bundles.values():
        if any(counts[phase] > 1 for phase in bundle):
            ways.append(bundle)
        else:
            shared |= bundle
    return [shared | bundle for bundle in ways] or [shared]
