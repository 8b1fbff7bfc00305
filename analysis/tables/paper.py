"""The tables: DataFrames in which published, measured, estimated and independent numbers never
share a column.

One table a task, the paper's rows first, and `studies`: scaled-down runs and runs at another input
size than the recipe's, which give rates and no kWh beside the paper's. A row of the paper without a
measurement has empty measured and estimated cells; a row measured under several set-ups appears
once for each. `docs/tables.md` lists the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from analysis.estimates import net
from analysis.estimates.accounting import Costs
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.published import facts as published
from analysis.records.describe import differences
from analysis.tables.compare import add_comparisons
from analysis.tables.independent import INDEPENDENT_COLUMNS, TEXTS, add_independent
from analysis.tables.lines import (
    DEFAULTS,
    KEY_COLUMNS,
    SETUP_COLUMNS,
    Line,
    Options,
    measured_line,
    published_line,
)
from metering import catalogue
from metering.catalogue import TaskFacts

STUDIES = "studies"
EXTRA_COLUMNS = (
    "measured_samples_per_kwh",
    "estimated_top1_per_kwh",
    "estimated_train_kg_co2eq",
    "estimated_pareto",
    "estimated_pareto_share",
    "estimated_epochs",
    "published_top1_per_kwh",
    "published_pareto",
    "published_implied_epochs",
    *net.COLUMNS,
    *INDEPENDENT_COLUMNS,
)
"""Shown where `--columns` names them."""
_RATES = (
    "train_kwh_per_sample",
    "train_half_width",
    "train_interval",
    "test_kwh_per_sample",
    "test_half_width",
    "test_interval",
    "train_s_per_sample",
    "test_s_per_sample",
    "train_wall_kwh_per_sample",
    "num_records",
    "sensors",
)
_ESTIMATED = (
    "train_kwh", "train_kwh_half_width", "published_share_pct", "gqi", "gqi_half_width",
    "gqi_accuracy", "rank", "rank_low", "rank_high", "rank_stability",
    "test_kwh", "test_kwh_half_width", "train_wall_kwh", "train_wall_kwh_half_width",
)  # fmt: skip
_KINDS = ("published_", "measured_", "estimated_", "independent_")
_TEXTS = frozenset(
    (
        "measured_sensors",
        "measured_train_interval",
        "measured_test_interval",
        "estimated_gqi_accuracy",
        *TEXTS,
    )
)


def all_tables(frame: pd.DataFrame, options: Options = DEFAULTS) -> dict[str, pd.DataFrame]:
    """A table for each task of the paper, of every other task that was measured, and `studies`
    where there are some, by name. `frame` is what `load` gives."""
    merged = merge(frame)
    costs = options.costs(merged)
    whole = [run for run in merged if run.tier != "small"]
    small = [run for run in merged if run.tier == "small"]
    tables = {}
    for task in _tasks(whole):
        if catalogue.table_sets(task.name) or any(run.task == task.name for run in whole):
            tables[task.table] = _task_table(whole, costs, task, options)
    if small:
        tables[STUDIES] = _studies(small, costs, options)
    return tables


def table(frame: pd.DataFrame, task: str, options: Options = DEFAULTS) -> pd.DataFrame:
    """The table of one task."""
    merged = merge(frame)
    whole = [run for run in merged if run.tier != "small"]
    [facts] = [known for known in _tasks(whole) if known.name == task]
    return _task_table(whole, options.costs(merged), facts, options)


def _tasks(measured: Iterable[Measured]) -> list[TaskFacts]:
    """The catalogue's tasks, then those that only records know."""
    known = {task.name: task for task in catalogue.TASKS}
    for name in dict.fromkeys(run.task for run in measured):
        if name not in known:
            known[name] = TaskFacts(name, name, name, "accuracy_pct", "Accuracy", "sample")
    return list(known.values())


def _task_table(
    merged: Sequence[Measured], costs: Costs, task: TaskFacts, options: Options
) -> pd.DataFrame:
    measured: dict[tuple[str, str], list[Measured]] = {}
    for run in merged:
        if run.task == task.name:
            measured.setdefault((run.name, run.dataset), []).append(run)
    lines: list[Line] = []
    datasets = [known.display_name for known in catalogue.table_sets(task.name)]
    printed = published.wide(*datasets).to_dict("records") if datasets else []
    for row in printed:
        base = published_line(row, task, options)
        ours = measured.pop(base.key, [])
        lines += [measured_line(base, run, costs, options) for run in ours] or [base]
    for (name, dataset), ours in measured.items():
        base = Line({"model": name, "dataset": dataset})
        lines += [measured_line(base, run, costs, options) for run in ours]
    tell_apart(lines)
    add_comparisons(lines, task, options.num_draws)
    add_independent(lines, options.independent)
    has_views = any((line.values.get("measured_views") or 1) > 1 for line in lines)
    return as_frame(lines, _columns(task, has_views))


def _studies(merged: Sequence[Measured], costs: Costs, options: Options) -> pd.DataFrame:
    lines = [
        measured_line(Line({"model": run.name, "dataset": run.dataset}), run, costs, options)
        for run in merged
    ]
    for line in lines:  # that a study has no estimate is what the table says already
        line.notes.pop("estimated_train_kwh", None)
    tell_apart(lines)
    measured = [f"measured_{name}" for name in ("gmacs", "params_m", *_RATES)]
    names = ["task", "dataset", "model", *SETUP_COLUMNS, *measured, "measured_samples_per_kwh"]
    return as_frame(lines, [*names, *net.COLUMNS, *KEY_COLUMNS])


def tell_apart(lines: Sequence[Line]) -> None:
    """Where lines of one model show the same set-up, what differs is added to `variant`."""
    alike: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        shown = ("dataset", "model", *SETUP_COLUMNS)
        alike.setdefault(tuple(line.values.get(name) for name in shown), []).append(line)
    for group in alike.values():
        setups = [line.measured.setup for line in group if line.measured]
        for line in group if len(setups) > 1 else ():
            assert line.measured is not None
            variants = (line.values["variant"], differences(line.measured.setup, setups))
            line.values["variant"] = ", ".join(filter(None, variants))


def _columns(task: TaskFacts, has_views: bool) -> list[str]:
    quality = task.quality_key
    views = ("views", "test_gmacs") if has_views else ()
    return [
        "dataset", "model", *SETUP_COLUMNS,
        *(f"published_{name}" for name in (
            "gmacs", "params_m", "train_kwh", quality, "gqi", "test_kwh",
        )),
        *(f"measured_{name}" for name in ("gmacs", *views, "params_m", quality, *_RATES)),
        *(f"estimated_{name}" for name in _ESTIMATED),
        *EXTRA_COLUMNS, *KEY_COLUMNS,
    ]  # fmt: skip


def as_frame(lines: Sequence[Line], columns: Sequence[str]) -> pd.DataFrame:
    """Numbers as floats; an absent value is NaN, of text and of a front None, also where a column
    of text has nothing else."""
    frame = pd.DataFrame([line.values for line in lines], columns=list(columns))
    for name in columns:
        number = name.startswith(_KINDS) and name not in _TEXTS
        if (number or name == "batch_size") and not name.endswith("_pareto"):
            frame[name] = frame[name].astype(float)
        else:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    notes = [line.notes for line in lines]
    return frame.assign(footnotes=pd.Series(notes, index=frame.index, dtype=object))
