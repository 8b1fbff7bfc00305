"""Claims that one thing takes more electricity than another, by the interval of their ratio."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.claims.claim import OPEN, Claim, Part, above, of_parts
from analysis.estimates.estimate import Quantity, total
from analysis.estimates.measured import Measured
from analysis.estimates.rates import MeasuredRate
from analysis.estimates.ratio import Ratio, fieller, ratio_of, weighted_mean
from analysis.estimates.same_sweep import common
from analysis.estimates.studies import AXES
from analysis.records.collection import apart
from metering.record import Stage
from metering.setup import study_key

LARGER_SETS = {
    "Swin-B": "Swin-B+PT on Im21k",
    "Swin-v2-B": "Swin-v2-B+PT on Im21k",
    "ViT-B-scratch": "ViT-B-Im21k",
    "ViT-L-scratch": "ViT-L-Im21k",
}
SELF_SUPERVISED = ("MAE", "BEiT")
PRETRAINING_SHARE = 0.9
"""Section 5.5: pre-training is over 90 % of a self-supervised model's training."""
FIELLER = "95 % intervals by Fieller"


def larger_sets(measured: Sequence[Measured]) -> Claim:
    """The recipe with pre-training over the recipe without, each priced at its own steps."""
    parts: list[Part] = []
    named = {(row.name, row.comparison_key): row for row in measured}
    for (name, key), row in named.items():
        larger = named.get((LARGER_SETS.get(name, ""), key))
        kwh = _whole(row), _whole(larger) if larger else None
        if larger is None or kwh[0] is None or kwh[1] is None:
            continue
        ratio = kwh[1].value / kwh[0].value
        low, high = _interval(kwh[1], kwh[0])
        interval = "no interval" if math.isnan(low) else f"{low:.1f} to {high:.1f}"
        words = f"{larger.name} over {name}: {ratio:.1f} x ({interval}){_apart(row, larger)}"
        parts.append((words, above(low, high, 1.0)))
    return of_parts(
        "5.4, Figure 3", "pre-training on a larger set costs more than training", parts, FIELLER
    )


def self_supervision(measured: Sequence[Measured]) -> Claim:
    parts: list[Part] = []
    for row in measured:
        if not any(word in row.name for word in SELF_SUPERVISED):
            continue
        stages = {stage.name: _stage_kwh(row, stage) for stage in row.recipe}
        before = stages.pop("pretrain", None)
        after = [kwh for kwh in stages.values() if kwh is not None]
        if before is None or not after or len(after) < len(stages):
            continue
        rest = total(after)
        share = before.value / (before.value + rest.value)
        low_ratio, high_ratio = _interval(rest, before)
        low, high = 1 / (1 + high_ratio), 1 / (1 + low_ratio)
        interval = "no interval" if math.isnan(low) else f"{low:.1%} to {high:.1%}"
        words = f"{row.name}: {share:.1%} ({interval})"
        parts.append((words, above(low, high, PRETRAINING_SHARE)))
    return of_parts(
        "5.5, Figure 4",
        "self-supervised pre-training is over 90 % of the training",
        parts,
        FIELLER,
    )


def _apart(one: Measured, other: Measured) -> str:
    """What is said where no sweep has both: what changed between two sweeps is in no interval."""
    return "" if one.shares_sweep_with(other) else ", measured apart"


def _whole(row: Measured) -> Quantity | None:
    """kWh of the recipe at measured rates; relative to another of the same set-up it is a result
    of a study, on its own it is none. None where a stage has no rate of its own."""
    kwh = [_stage_kwh(row, stage) for stage in row.recipe]
    known = [part for part in kwh if part is not None]
    return total(known) if kwh and len(known) == len(kwh) else None


def _stage_kwh(row: Measured, stage: Stage) -> Quantity | None:
    """A stage priced at its own step: pre-training has a larger head, or a decoder."""
    own = "pretrain" if stage.name == "pretrain" and stage.workload == "supervised" else ""
    rate = row.rates.get((own or stage.workload, "train"))
    if stage.row is not None or rate is None or not stage.num_samples or not stage.num_epochs:
        return None
    name = f"{own or stage.workload}"
    return _quantity(rate, name).times(stage.num_samples * stage.num_epochs * stage.share)


def _quantity(rate: MeasuredRate, name: str) -> Quantity:
    spread = None if rate.half_width is None else {name: rate.half_width}
    return Quantity(rate.kwh_per_sample, spread)


def _interval(numerator: Quantity, denominator: Quantity) -> tuple[float, float]:
    """Of their ratio; `nan` where a part has no interval or the ratio's has no end."""
    if not numerator.half_width or not denominator.half_width:
        return math.nan, math.nan
    ratio = fieller(
        numerator.value, numerator.half_width, denominator.value, denominator.half_width
    )
    return ratio or (math.nan, math.nan)


def batch_size(measured: Sequence[Measured]) -> Claim:
    """The smallest batch over the largest, of networks tested with both and alike otherwise."""
    lines: dict[str, dict[int, Measured]] = {}
    for row in measured:
        if row.task == "classification" and row.test_rate and row.setup.asked.batch_size:
            key = apart(study_key(row.setup, AXES["batch_size"]), row.collection)
            lines.setdefault(key, {})[row.setup.asked.batch_size] = row
    parts: list[Part] = []
    for line in lines.values():
        small, large = min(line), max(line)
        if small == large:
            continue
        ratio = _test_ratio(line[small], line[large])
        low, high = ratio.low, ratio.high
        interval = "no interval" if math.isnan(low) else f"{low:.2f} to {high:.2f}"
        words = f"{line[small].name}: {ratio.value:.2f} x ({interval}) at {small} over {large}"
        words += _apart(line[small], line[large])
        parts.append((words, OPEN if math.isnan(low) else above(low, high, 1.0)))
    return of_parts(
        "A.3, Figure 6", "testing with a smaller batch takes more per image", parts, FIELLER
    )


def _test_ratio(one: Measured, other: Measured) -> Ratio:
    """Of the electricity a test image; within each sweep that has both."""
    key = next(key for key, rate in one.rates.items() if rate is one.test_rate)
    pairs = common(one, other, key) if key in other.rates else []
    if not pairs and one.test_rate and other.test_rate:
        pairs = [(one.test_rate, other.test_rate)]
    return weighted_mean(
        [
            ratio_of(
                rate.kwh_per_sample, rate.half_width, of_other.kwh_per_sample, of_other.half_width
            )
            for rate, of_other in pairs
        ]
    )
