"""How much runs of one set-up differ, and the interval of their mean rate.

A run's own interval holds what varies within it. Another run of the same set-up on the same board
differs by more: temperature, clocks, what else the machine does, the order of the data. That is
seen only where a set-up was repeated, and few are repeated often, so the relative standard
deviation of run means is pooled over all set-ups that were repeated on one hardware.

Run i of set-up j has the mean rate m_j (1 + e_ij), e_ij normal with one standard deviation s for
all set-ups of the hardware. Estimated by the squares about each set-up's own mean over
sum(n_j - 1) degrees of freedom (Snedecor and Cochran 1980, "Statistical Methods", section 6.9),
the mean of n runs is then within t x s / sqrt(n), t of Student's distribution with those degrees.
Run means hold the noise within a run too, so nothing is added for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.records.confidence import student_t

Basis = Literal["between runs", "within this run and between runs", "within this run", "none"]
"""What an interval holds."""


MOST_EXACT = 1e-9
"""A half-width under this share of its number is what rounding leaves of equal readings."""


@dataclass(frozen=True)
class Spread:
    """How much run means differ on one hardware: their relative standard deviation (0.02 is
    2 %), its degrees of freedom, and the number of repeated set-ups that it is pooled over."""

    relative_sd: float
    degrees: int
    num_setups: int


@dataclass(frozen=True)
class RunsRate:
    """value: mean over runs, same unit as they; half_width: of its 95 % interval, above 0, or None
    with the reason in `why_none`."""

    value: float
    half_width: float | None
    basis: Basis
    why_none: str = ""


TOO_FEW_BLOCKS = "too few blocks"
ALIKE = "what was read is alike to the last digit, as steps of a sensor or a model make it"
"""Such an interval has no width, which is no sign of a number without an error."""


def pooled_spread(setups: Iterable[Sequence[float]]) -> Spread | None:
    """The spread over set-ups, each a sequence of its run means (all above 0); None where no
    set-up has two runs, or all repeated runs are alike to the last digit: then it is not seen."""
    squares, degrees, num_setups = 0.0, 0, 0
    for rates in setups:
        if len(rates) < 2:
            continue
        mean = math.fsum(rates) / len(rates)
        squares += math.fsum((rate / mean - 1) ** 2 for rate in rates)
        degrees += len(rates) - 1
        num_setups += 1
    relative_sd = math.sqrt(squares / degrees) if degrees else 0.0
    return Spread(relative_sd, degrees, num_setups) if relative_sd > MOST_EXACT else None


def rate_over_runs(
    rates: Sequence[float], half_widths: Sequence[float | None], spread: Spread | None
) -> RunsRate:
    """The mean of a set-up's run means and its 95 % interval.

    half_widths: each run's own 95 % interval, None where it has none. Two runs or more: Student's
    t over run means, and never narrower than their own intervals, combined, would be (this set-up
    may be measured more coarsely than the others). A lone run: its own interval, widened by the
    spread between runs where the hardware has one.
    """
    mean = math.fsum(rates) / len(rates)
    known = [width for width in half_widths if width is not None]
    within = math.hypot(*known) / len(rates) if len(known) == len(rates) else None
    between = None
    if spread is not None:
        between = student_t(spread.degrees) * spread.relative_sd * mean / math.sqrt(len(rates))
    if len(rates) > 1 and between is not None:
        return RunsRate(mean, max(between, within or 0.0), "between runs")
    if within is None:
        return RunsRate(mean, None, "none", TOO_FEW_BLOCKS)
    if within <= MOST_EXACT * mean:
        return RunsRate(mean, None, "none", ALIKE)
    if between is None:
        return RunsRate(mean, within, "within this run")
    return RunsRate(mean, math.hypot(within, between), "within this run and between runs")
