"""A leaderboard: who takes least, or reaches most, of what the reader chose.

Only rows that may be compared (`metering.setup.comparison_key`) stand in one list, and only those
whose device was read by a counter or by its power get a rank: a modelled number and a scaled-down
study are shown without one.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.estimates.accounting import Costs
from analysis.estimates.estimate import Quantity
from analysis.estimates.measured import Measured, MeasuredRate
from analysis.estimates.merge import merge
from analysis.estimates.metrics import gqi
from analysis.estimates.tiers import READ
from analysis.report.model import Entry, Leaderboard, Metric, Value
from metering import catalogue

METRICS = (
    Metric("train_wh", "training, Wh per 1,000 samples", "measured"),
    Metric("test_wh", "testing, Wh per 1,000 samples", "measured"),
    Metric("test_s", "testing, seconds per 1,000 samples", "measured"),
    Metric("accuracy_pct", "accuracy, %", "measured", is_less_better=False),
    Metric("recipe_kwh", "whole training recipe, kWh", "estimated"),
    Metric("gqi", "GQI", "estimated", is_less_better=False),
)


def leaderboard(records: pd.DataFrame) -> Leaderboard:
    """records: as `load` gives them, of one folder or of many people's bundles."""
    measured = merge(records)
    costs, groups = Costs(measured), _groups(measured)
    entries = [_entry(one, costs, groups[one.comparison_key]) for one in measured]
    kept = tuple(entry for entry in entries if entry.values)
    held = {key for entry in kept for key in entry.values}
    return Leaderboard(kept, tuple(metric for metric in METRICS if metric.key in held))


def _groups(measured: Sequence[Measured]) -> dict[str, str]:
    """Comparison key -> words; the same words of another key get a number."""
    names: dict[str, str] = {}
    taken: dict[tuple[str, str], int] = {}
    for one in measured:
        if one.comparison_key in names:
            continue
        asked, found = one.setup.asked, one.setup.found
        batch = f"batch {asked.batch_size}" if asked.batch_size else "batch unknown"
        reader = found.reader if found else ""
        words = [one.dataset, batch, asked.precision, *([one.variant] if one.variant else [])]
        if reader.startswith("codecarbon"):
            words.append(f"read by {reader}" + (" for its process" if found and found.scope ==
                                                "process" else ""))  # fmt: skip
        said = ", ".join(words)
        number = taken[one.device, said] = taken.get((one.device, said), 0) + 1
        names[one.comparison_key] = said if number == 1 else f"{said} ({number})"
    return names


def _entry(one: Measured, costs: Costs, group: str) -> Entry:
    train = _own_rate(one, "train")
    test = _own_rate(one, "test")
    values: dict[str, Value] = {}
    if train is not None:
        values["train_wh"] = _value(1e6 * train.kwh_per_sample, _times(train.half_width, 1e6))
    if test is not None:
        values["test_wh"] = _value(1e6 * test.kwh_per_sample, _times(test.half_width, 1e6))
        if test.s_per_sample is not None:
            values["test_s"] = _value(1000 * test.s_per_sample, None)
    if one.accuracy_pct is not None:
        values["accuracy_pct"] = _value(one.accuracy_pct, None)
    kwh = costs.estimate(one).kwh
    if kwh is not None:
        values |= _of_recipe(one, kwh)
    task = catalogue.task(one.task)
    num_runs = max((rate.num_records for rate in one.rates.values()), default=0)
    return Entry(
        task=task.title if task else one.task,
        hardware=one.device,
        group=group,
        model=one.name,
        dataset=one.dataset,
        tier=one.tier,
        competes=one.tier in READ,
        num_runs=num_runs,
        values=values,
        note="; ".join(one.notes),
    )


def _of_recipe(one: Measured, kwh: Quantity) -> dict[str, Value]:
    values = {"recipe_kwh": _value(kwh.value, kwh.half_width)}
    index = gqi(one.accuracy_pct, kwh.value, kwh.half_width)
    if index.value is not None:
        values["gqi"] = _value(index.value, index.half_width)
    return values


def _own_rate(one: Measured, phase: str) -> MeasuredRate | None:
    """Of the network's own stage: that of a pre-training step is another network's."""
    for stage in ("supervised", "finetune", "distill"):
        if (stage, phase) in one.rates:
            return one.rates[stage, phase]
    return None


def _times(width: float | None, factor: float) -> float | None:
    return None if width is None else width * factor


def _value(number: float, half_width: float | None) -> Value:
    if half_width is None:
        return Value(number, f"{number:.4g}")
    return Value(number, f"{number:.4g} ± {half_width:.2g}")
