"""A leaderboard: who takes least, or reaches most, of what the reader chose.

Only rows that may be compared (`metering.setup.comparison_key`) stand in one list. Those whose
device was read by a counter or by its power, and whose value has an interval, get a rank with its
interval: a modelled number and a scaled-down study are shown without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.estimates import accuracy as accuracies
from analysis.estimates.accounting import Costs
from analysis.estimates.competing import competitions
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.estimates.metrics import gqi
from analysis.estimates.ranks import Rank, ranks
from analysis.estimates.rates import MeasuredRate
from analysis.records.collection import OWN
from analysis.report.model import Entry, Leaderboard, Metric, Value
from analysis.tables.numbers import with_interval
from metering import catalogue

METRICS = (
    Metric("train_wh", "training, Wh per 1,000 samples", "measured"),
    Metric("test_wh", "testing, Wh per 1,000 samples", "measured"),
    Metric("test_s", "testing, seconds per 1,000 samples", "measured"),
    Metric("accuracy_pct", "accuracy, %", "measured", is_less_better=False),
    Metric("recipe_kwh", "whole training recipe, kWh", "estimated"),
    Metric("gqi", "GQI", "estimated", is_less_better=False),
)


@dataclass(frozen=True)
class _Scored:
    """A value with the half-width of its 95 % interval; paired: the half-width that counts between
    rows that were tested on the same images."""

    number: float
    half_width: float | None = None
    paired: float | None = None

    @property
    def rank_half_width(self) -> float | None:
        return self.half_width if self.paired is None else self.paired


def leaderboard(records: pd.DataFrame) -> Leaderboard:
    """records: as `load` gives them, of one folder or of many people's bundles."""
    measured = merge(records)
    costs, groups = Costs(measured), _groups(measured)
    scored = [_scored(row, costs) for row in measured]
    placed = {metric.key: _ranked(measured, scored, metric) for metric in METRICS}
    entries = []
    for at, (row, values) in enumerate(zip(measured, scored, strict=True)):
        shown = {key: _value(value, placed[key].get(at)) for key, value in values.items()}
        if shown:
            entries.append(_entry(row, groups[row.comparison_key], shown))
    held = {key for entry in entries for key in entry.values}
    return Leaderboard(tuple(entries), tuple(metric for metric in METRICS if metric.key in held))


def _ranked(
    measured: Sequence[Measured], scored: Sequence[dict[str, _Scored]], metric: Metric
) -> dict[int, Rank]:
    """Place in `measured` -> rank, of rows that compete: see `estimates.competing`."""
    known = [values.get(metric.key) for values in scored]
    boards = competitions(
        measured,
        [None if value is None else value.number for value in known],
        [None if value is None else value.rank_half_width for value in known],
    )
    placed: dict[int, Rank] = {}
    for group in boards.groups:
        several = [value for at in group if (value := known[at]) is not None]
        ranked = ranks(
            [value.number for value in several],
            [value.rank_half_width for value in several],
            is_less_better=metric.is_less_better,
        )
        placed |= {at: rank for at, rank in zip(group, ranked, strict=True) if rank is not None}
    return placed


def _groups(measured: Sequence[Measured]) -> dict[str, str]:
    """Comparison key -> words; the same words of another key get a number."""
    names: dict[str, str] = {}
    taken: dict[tuple[str, str], int] = {}
    for row in measured:
        if row.comparison_key in names:
            continue
        asked, found = row.setup.asked, row.setup.found
        batch = f"batch {asked.batch_size}" if asked.batch_size else "batch unknown"
        reader = found.reader if found else ""
        words = [row.dataset, batch, asked.precision, *filter(None, [row.shared_variant])]
        if reader.startswith("codecarbon"):
            words.append(
                f"read by {reader}"
                + (" for its process" if found and found.scope == "process" else "")
            )
        if row.collection != OWN:
            words.append(row.collection)
        setup_words = ", ".join(words)
        number = taken[row.device, setup_words] = taken.get((row.device, setup_words), 0) + 1
        names[row.comparison_key] = setup_words if number == 1 else f"{setup_words} ({number})"
    return names


def _scored(row: Measured, costs: Costs) -> dict[str, _Scored]:
    train, test = _own_rate(row, "train"), _own_rate(row, "test")
    values: dict[str, _Scored] = {}
    if train is not None:
        values["train_wh"] = _times(1e6, train.kwh_per_sample, train.half_width)
    if test is not None:
        values["test_wh"] = _times(1e6, test.kwh_per_sample, test.half_width)
        if test.s_per_sample is not None:
            values["test_s"] = _times(1000, test.s_per_sample, test.s_half_width)
    task = catalogue.task(row.task)
    accuracy = accuracies.of_row(row, None, task) if task else None
    if row.accuracy_pct is not None:
        half_width = accuracy.half_width_pct if accuracy else None
        values["accuracy_pct"] = _Scored(row.accuracy_pct, half_width)
    kwh = costs.estimate(row).kwh
    if kwh is None:
        return values
    values["recipe_kwh"] = _Scored(kwh.value, kwh.half_width)
    if accuracy is not None:
        whole = gqi(
            accuracy.value_pct,
            kwh.value,
            kwh.half_width,
            accuracy_half_width_pct=accuracy.half_width_pct,
        )
        if whole.value is not None:
            paired = gqi(accuracy.value_pct, kwh.value, kwh.half_width).half_width
            values["gqi"] = _Scored(whole.value, whole.half_width, paired)
    return values


def _entry(row: Measured, group: str, values: dict[str, Value]) -> Entry:
    return Entry(
        task=catalogue.task_title(row.task),
        hardware=row.device,
        group=group,
        model=row.name,
        dataset=row.dataset,
        tier=row.tier,
        num_runs=max((rate.num_records for rate in row.rates.values()), default=0),
        values=values,
        note="; ".join(row.notes),
        is_own=row.collection == OWN,
    )


def _own_rate(row: Measured, phase: str) -> MeasuredRate | None:
    """Of the network's own stage: that of a pre-training step is another network's."""
    for stage in ("supervised", "finetune", "distill"):
        if (stage, phase) in row.rates:
            return row.rates[stage, phase]
    return None


def _times(factor: float, number: float, half_width: float | None) -> _Scored:
    return _Scored(factor * number, None if half_width is None else factor * half_width)


def _value(scored: _Scored, rank: Rank | None) -> Value:
    places = "" if rank is None else f"{rank.rank} ({rank.low} to {rank.high})"
    return Value(scored.number, with_interval(scored.number, scored.half_width), places)
