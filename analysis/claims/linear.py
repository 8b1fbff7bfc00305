"""Claims that electricity is linear, in epochs and in the share of data, and that the smallest
part is enough.

A cumulative sum lies near a straight line whatever its steps do, so what is tested is the steps:
their drift from the first to the last (least squares, its 95 % interval) must lie within the
margin that was named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from analysis.claims.claim import MARGIN, OPEN, Claim, Part, equivalent, of_parts
from analysis.estimates.ratio import fieller
from analysis.estimates.studies import AXES, Curve
from analysis.records.collection import apart
from metering.setup import study_key

CONFIDENCE = 0.95
LEAST_STEPS = 3
"""Two have no scatter."""
ALIKE = 1e-9
USELESS = 1.0
"""An interval of a share that is wider says nothing."""
LIMIT = f"margin {MARGIN:.0%} of an epoch's electricity"


def drift(x: np.ndarray, steps: np.ndarray) -> tuple[float, float, float]:
    """The change from the first step to the last over the mean step, and its 95 % interval:
    least squares, Student's t; `nan` limits where there are two steps, or all are alike to the last
    digit, as steps of a sensor make them."""
    if np.ptp(steps) <= ALIKE * steps.mean():
        return 0.0, math.nan, math.nan
    fit = stats.linregress(x, steps)
    reach = (x[-1] - x[0]) / steps.mean()
    if len(x) < LEAST_STEPS:
        return float(fit.slope * reach), math.nan, math.nan
    width = stats.t.ppf((1 + CONFIDENCE) / 2, len(x) - 2) * fit.stderr
    low, high = (fit.slope - width) * reach, (fit.slope + width) * reach
    return float(fit.slope * reach), float(low), float(high)


def epochs(curves: Sequence[Curve]) -> tuple[Claim, Claim]:
    """Whole trainings of several epochs: every later epoch takes the same, and the first does."""
    straight: list[Part] = []
    enough: list[Part] = []
    for curve in curves:
        each = np.diff(curve.kwh_by_epoch(), prepend=0.0)
        if len(each) < LEAST_STEPS + 1:
            continue
        later = each[1:]
        value, low, high = drift(np.arange(2.0, len(each) + 1), later)
        words = f"{curve.model}: epochs 2 to {len(each)} drift by {_signed(value, low, high)}"
        straight.append((words, equivalent(low, high)))
        enough.append(_first_epoch(curve.model, each))
    return (
        of_parts("A.4.1, Figure 7", "electricity is linear in epochs", straight, LIMIT),
        of_parts("A.4.1", "so one epoch is enough", enough, f"margin {MARGIN:.0%} of the total"),
    )


def _first_epoch(model: str, each: np.ndarray) -> Part:
    """N x the first epoch over N epochs; one epoch more would scatter as the later ones do."""
    num, mean = len(each), each.mean()
    scatter = each[1:].std(ddof=1) / mean
    error = each[0] / mean - 1
    width = stats.t.ppf((1 + CONFIDENCE) / 2, num - 2) * scatter * math.sqrt(1 + 1 / num)
    low, high = (error - width, error + width) if scatter > ALIKE else (math.nan, math.nan)
    words = f"{model}: {num} x the first epoch errs by {_signed(error, low, high)}"
    return words, equivalent(low, high)


def shares(curves: Sequence[Curve]) -> tuple[Claim, Claim]:
    """One epoch of each share of the data, of runs alike but for the share."""
    straight: list[Part] = []
    enough: list[Part] = []
    for line in _lines(curves):
        sizes = np.asarray([curve.num_epoch_samples for curve in line], float)
        kwh = np.asarray([float(curve.kwh_at(curve.num_epoch_samples)) for curve in line])
        if len(line) < LEAST_STEPS:
            continue
        rates = np.diff(kwh) / np.diff(sizes)
        value, low, high = drift((sizes[1:] + sizes[:-1]) / 2, rates)
        words = (
            f"{line[0].model}: from share to share the rate drifts by "
            f"{_signed(value, low, high)} (n {len(rates)}){_apart(line)}"
        )
        straight.append((words, equivalent(low, high)))
        enough.append(_smallest(line[0], line[-1], kwh[0] / sizes[0], kwh[-1] / sizes[-1]))
    return (
        of_parts(
            "A.4.2, Figure 8",
            "electricity is linear in the share of data",
            straight,
            f"margin {MARGIN:.0%} of the mean rate",
        ),
        of_parts(
            "A.4.2", "so 1 % of the data is enough", enough, f"margin {MARGIN:.0%} of the total"
        ),
    )


def _smallest(small: Curve, large: Curve, small_rate: float, large_rate: float) -> Part:
    """The smallest share scaled up over the largest, each with the interval of its run's rate."""
    share = small.num_epoch_samples / large.num_epoch_samples
    error = small_rate / large_rate - 1
    interval = None
    if small.relative_half_width is not None and large.relative_half_width is not None:
        interval = fieller(
            small_rate,
            small_rate * small.relative_half_width,
            large_rate,
            large_rate * large.relative_half_width,
        )
    low, high = (math.nan, math.nan) if interval is None else (interval[0] - 1, interval[1] - 1)
    words = (
        f"{small.model}: {share:.0%} of the data scaled up errs by {_signed(error, low, high)}"
        f"{_apart((small, large))}"
    )
    return words, OPEN if interval is None else equivalent(low, high)


def _lines(curves: Sequence[Curve]) -> list[list[Curve]]:
    """Runs of one device that differ in the share of data alone, the newest of each share,
    smallest first."""
    lines: dict[str, dict[float, Curve]] = {}
    for curve in curves:
        key = apart(study_key(curve.setup, AXES["fraction"]), curve.collection)
        lines.setdefault(key, {})[curve.setup.asked.data.fraction] = curve
    return [[line[share] for share in sorted(line)] for line in lines.values()]


def _apart(line: Sequence[Curve]) -> str:
    """What is said of several sweeps: what changed between them is in no interval."""
    return ", measured apart" if len({curve.sweep for curve in line}) > 1 else ""


def _signed(value: float, low: float, high: float) -> str:
    if math.isnan(low):
        return f"{value:+.1%} (no interval)"
    if high - low > USELESS:
        return f"{value:+.1%} (interval wider than 100 %)"
    return f"{value:+.1%} ({low:+.1%} to {high:+.1%})"
