"""What was measured here, scaled by its recipe, as rows and stages of the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from analysis.estimates import accuracy as accuracies
from analysis.estimates.accounting import Costs, num_test_samples
from analysis.estimates.competing import competitions, fronts
from analysis.estimates.estimate import Estimate, Part
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.figures.figure4 import MEASURED_RATE, STAGE_NAMES
from analysis.figures.frames import ROW_COLUMNS, STAGE_COLUMNS, gqi
from analysis.published import facts as published_facts
from analysis.published.facts import IMAGENET
from analysis.records.collection import OWN
from metering import catalogue


def estimated(records: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and stages (`frames.ROW_COLUMNS`, `frames.STAGE_COLUMNS`) of every classification
    set-up on ImageNet-1k whose recipe and rates are known, by `accounting=source`. A scaled-down
    study is none of them: it is no mark beside the paper's."""
    measured = merge(records)
    costs = Costs(measured)
    shown: list[Measured] = []
    rows: list[dict[str, Any]] = []
    stages: list[tuple[str, str, str, float, str, bool]] = []
    for row in measured:
        if row.task != "classification" or row.dataset != IMAGENET or row.tier == "small":
            continue
        estimate = costs.estimate(row)
        if estimate.kwh is None:
            continue
        shown.append(row)
        rows.append(_row(row, estimate))
        stages.extend(_stages(row, estimate.parts))
    _mark_fronts(shown, rows)
    frame = pd.DataFrame(rows, columns=list(ROW_COLUMNS))
    wide = frame["half_width_kwh"].astype(float) >= frame["train_kwh"].astype(float)
    frame["gqi"] = gqi(frame["accuracy_pct"], frame["train_kwh"]).mask(wide)
    return frame, pd.DataFrame(stages, columns=list(STAGE_COLUMNS))


def _mark_fronts(measured: Sequence[Measured], rows: Sequence[dict[str, Any]]) -> None:
    """`group` and `on_front` of those rows that compete; see `estimates.competing`."""
    kwh, half_widths, accuracy = (
        [row[name] for row in rows] for name in ("train_kwh", "half_width_kwh", "accuracy_pct")
    )
    groups = competitions(measured, kwh, half_widths).groups
    for at, front in fronts(groups, accuracy, kwh, half_widths).items():
        rows[at] |= {"group": measured[at].comparison_key, "on_front": front.is_on}


def _stages(
    row: Measured, parts: Sequence[Part]
) -> Iterator[tuple[str, str, str, float, str, bool]]:
    """Stages of a recipe whose every stage has a rate, and one pass over the test images."""
    for part in parts:
        if part.name in STAGE_NAMES:
            kwh = part.kwh.value
            yield row.name, "estimated", STAGE_NAMES[part.name], kwh, MEASURED_RATE, False
    test_kwh = _test_kwh(row)
    if test_kwh is not None:
        yield row.name, "estimated", "inference", test_kwh, MEASURED_RATE, False


def _test_kwh(row: Measured) -> float | None:
    """One pass over the test set that the row is about."""
    test, samples = row.test_rate, num_test_samples(row)
    return None if test is None or samples is None else test.kwh_per_sample * samples


def _row(row: Measured, estimate: Estimate) -> dict[str, Any]:
    assert estimate.kwh is not None
    [task] = [known for known in catalogue.TASKS if known.name == row.task]
    published_pct = published_facts.value(row.name, IMAGENET, task.quality_key)
    accuracy = accuracies.of_row(row, published_pct, task)
    words = ["measured rate x recipe"]
    if not estimate.is_measured:
        words.append(f"{100 * (estimate.published_share or 0):.3g} % of it published")
    if row.tier == "modelled":
        words.append("modelled")
    if accuracy is not None and accuracy.origin == "published":
        words.append("accuracy published")
    asked = row.setup.asked
    collection = "" if row.collection == OWN else row.collection
    set_up = (
        f"batch {asked.batch_size or 'unknown'}",
        asked.precision,
        row.shared_variant,
        collection,
    )
    return {
        "model": row.name,
        "kind": "estimated",
        "train_kwh": estimate.kwh.value,
        "half_width_kwh": estimate.kwh.half_width,
        "accuracy_pct": accuracy.value_pct if accuracy else None,
        "test_kwh": _test_kwh(row),
        "hardware": row.device,
        "set_up": ", ".join(filter(None, set_up)),
        "is_small": False,
        "source": "; ".join(words),
        "group": "",
        "on_front": False,
    }
