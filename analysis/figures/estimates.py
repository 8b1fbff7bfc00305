"""What was measured here, scaled by its recipe, as rows and stages of the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.estimates.accounting import Costs
from analysis.estimates.estimate import Part
from analysis.estimates.merge import Measured, MeasuredRate, SetUp, merge
from analysis.figures.figure4 import MEASURED_RATE, STAGE_NAMES
from analysis.figures.frames import ROW_COLUMNS, STAGE_COLUMNS, gqi
from analysis.published import facts as published_facts
from analysis.published.facts import IMAGENET

NUM_TEST_IMAGES = 50_000
"""ImageNet-1k's validation set: what the paper's test electricity is about."""


def estimated(records: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and stages (`frames.ROW_COLUMNS`, `frames.STAGE_COLUMNS`) of every classification
    set-up on ImageNet-1k whose recipe and rates are known, by `accounting=source`."""
    measured = sorted(merge(records), key=lambda one: one.key.scale == "small")
    costs = Costs(measured)
    rows: list[dict[str, object]] = []
    stages: list[tuple[str, str, str, float, str, bool]] = []
    for one in measured:
        if one.key.task != "classification" or one.key.dataset != IMAGENET:
            continue
        found = costs.estimate(one)
        name = one.key.paper_row or one.key.model
        if found.kwh is None:
            continue
        rows.append(_row(one, name, found.kwh.value, found.kwh.half_width, found.is_measured))
        stages.extend(_stages(one, name, found.parts))
    frame = pd.DataFrame(rows, columns=list(ROW_COLUMNS))
    frame["gqi"] = gqi(frame["accuracy_pct"], frame["train_kwh"])
    return frame, pd.DataFrame(stages, columns=list(STAGE_COLUMNS))


def _stages(
    one: Measured, name: str, parts: Sequence[Part]
) -> Iterator[tuple[str, str, str, float, str, bool]]:
    """Stages of a recipe whose every stage has a rate, and one pass over the test images."""
    small = one.key.scale == "small"
    for part in parts:
        if part.name in STAGE_NAMES:
            kwh = part.kwh.value
            yield name, "estimated", STAGE_NAMES[part.name], kwh, MEASURED_RATE, small
    test = _test_rate(one)
    if test is not None:
        kwh = test.kwh_per_sample * NUM_TEST_IMAGES
        yield name, "estimated", "inference", kwh, MEASURED_RATE, small


def _test_rate(one: Measured) -> MeasuredRate | None:
    return next((rate for (_, phase), rate in one.rates.items() if phase == "test"), None)


def _words_of(key: SetUp) -> tuple[str, ...]:
    """What else must agree, on one device, before two rows are compared."""
    return f"batch {key.batch_size:.0f}", key.precision, key.variant


def _row(
    one: Measured, name: str, kwh: float, half_width: float | None, all_measured: bool
) -> dict[str, object]:
    accuracy = one.quality_pct or published_facts.value(name, IMAGENET, "top1_pct")
    test = _test_rate(one)
    words = ["measured rate x recipe"]
    words += [] if all_measured else ["parts of it published"]
    words += [] if one.quality_pct else ["accuracy published"]
    return {
        "model": name,
        "kind": "estimated",
        "train_kwh": kwh,
        "half_width_kwh": half_width,
        "accuracy_pct": accuracy,
        "test_kwh": test.kwh_per_sample * NUM_TEST_IMAGES if test else None,
        "hardware": one.key.gpu_name or one.key.hardware,
        "set_up": ", ".join(filter(None, _words_of(one.key))),
        "is_small": one.key.scale == "small",
        "source": "; ".join(words),
    }
