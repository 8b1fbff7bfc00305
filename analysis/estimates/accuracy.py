"""Which accuracy enters an index, and how uncertain it is as a sample of all images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from analysis.estimates.accounting import num_test_samples
from analysis.estimates.measured import Measured
from analysis.records.confidence import student_t
from metering import catalogue
from metering.catalogue import TaskFacts

Origin = Literal["measured", "published"]
NO_SAMPLING_ERROR = (
    "no interval of the GQI: the sampling error of {name} needs the predictions on each of 30 "
    "images or more, which {who} not give"
)


@dataclass(frozen=True)
class Accuracy:
    """value_pct: top-1 or mIoU, percent; half_width_pct: 95 %, of the test set as a sample, or
    None with the reason in `note`; origin: where the value comes from."""

    value_pct: float
    half_width_pct: float | None
    origin: Origin
    note: str = ""


def choose(
    measured_pct: float | None,
    published_pct: float | None,
    quality_key: str,
    num_test: int | None,
    measured_half_width_pct: float | None = None,
) -> Accuracy | None:
    """The accuracy that an index uses, for tables and figures alike: measured here on the real
    set, else published. None where there is neither.

    measured_pct: of trained weights on the whole real test set, or None; num_test: its samples;
    measured_half_width_pct: of a mean IoU, from a bootstrap over its images, or None.
    """
    value = published_pct if measured_pct is None else measured_pct
    if value is None:
        return None
    origin: Origin = "published" if measured_pct is None else "measured"
    if quality_key != "top1_pct":
        if measured_pct is not None and measured_half_width_pct:
            return Accuracy(value, measured_half_width_pct, origin)
        who = "the paper does" if measured_pct is None else "the record does"
        note = NO_SAMPLING_ERROR.format(name=_name_of(quality_key), who=who)
        return Accuracy(value, None, origin, note)
    if not num_test:
        return Accuracy(
            value, None, origin, "no interval of the GQI: the test set's size is unknown"
        )
    return Accuracy(value, binomial_half_width_pct(value, num_test), origin)


def binomial_half_width_pct(top1_pct: float, num_test: int) -> float:
    """Half-width of the 95 % interval of a share, percent, of `num_test` independent images
    (normal approximation of the binomial). At 0 and 100 %, where it has no width, the share of
    one image counts as uncertain."""
    share = top1_pct / 100
    variance = max(share * (1 - share), 1 / num_test * (1 - 1 / num_test)) / num_test
    return 100 * student_t(math.inf) * math.sqrt(variance)


def _name_of(quality_key: str) -> str:
    names = {task.quality_key: task.quality_name for task in catalogue.TASKS}
    return names.get(quality_key, quality_key)


def of_row(row: Measured, published_pct: float | None, task: TaskFacts) -> Accuracy | None:
    """The accuracy of a row of a table. A measured one counts on real data; in a row of the paper,
    whose network is trained by its recipe, only that of a checkpoint."""
    asked = row.setup.asked
    measured = row.accuracy_pct
    if asked.data.origin == "embedded" or (row.paper_row and asked.checkpoint_digest is None):
        measured = None
    num_test = num_test_samples(row)
    if measured is not None:
        num_test = row.num_accuracy_samples or num_test
    return choose(measured, published_pct, task.quality_key, num_test, row.accuracy_half_width_pct)
