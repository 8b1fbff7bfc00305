"""The claim that a short run predicts a long one, over every window that was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from analysis.claims.claim import MARGIN, Claim, above
from analysis.estimates.validate import LeftOut, Prediction
from analysis.records.confidence import student_t

SHARE_RIGHT = 0.95
"""So many windows must be predicted within the margin: what a 95 % interval promises."""


def short_predicts_long(outcomes: Sequence[Prediction | LeftOut]) -> Claim:
    """`outcomes`: of every window, predicted from its first part or left out for a reason."""
    says = "a short run predicts a long one"
    made = [outcome for outcome in outcomes if isinstance(outcome, Prediction)]
    if not made:
        return Claim("A.4", says)
    errors = [abs(prediction.error) for prediction in made]
    groups = [prediction.group or str(place) for place, prediction in enumerate(made)]
    within = Share([error <= MARGIN for error in errors], groups)
    held = Share([prediction.held for prediction in made], groups)
    shown = (
        f"{len(made)} of {len(outcomes)} windows have blocks enough; of these, from their first "
        f"fifth, {within.count} are predicted within {MARGIN:.0%} ({within}; "
        f"median error {sorted(errors)[len(errors) // 2]:.1%}, worst {max(errors):.0%}); our "
        f"95 % interval held in {held.count} ({held})"
        f" (limit: {SHARE_RIGHT:.0%} of the windows; intervals over {within.num_groups} networks "
        "on a machine each, whose windows are alike)"
    )
    return Claim("A.4", says, shown, above(*within.interval, SHARE_RIGHT))


@dataclass(frozen=True)
class Share:
    """How many of these are so. groups: of each, those in one being alike."""

    is_so: Sequence[bool]
    groups: Sequence[str]

    @property
    def count(self) -> int:
        return sum(self.is_so)

    @property
    def num_groups(self) -> int:
        return len(set(self.groups))

    @property
    def interval(self) -> tuple[float, float]:
        """At 95 %; `nan` of a single group.

        Exact binomial (Clopper and Pearson) of as many independent ones as have the variance
        between groups: Korn and Graubard 1998, "Confidence intervals for proportions with small
        expected number of positive counts estimated from survey data", Survey Methodology 24:193.
        Where all or none are so, no variance is seen, and a group counts as one.
        """
        num, num_groups = len(self.is_so), self.num_groups
        if num_groups < 2:
            return math.nan, math.nan
        share = self.count / num
        excess: dict[str, float] = {}
        for group, so in zip(self.groups, self.is_so, strict=True):
            excess[group] = excess.get(group, 0.0) + so - share
        variance = sum(of**2 for of in excess.values()) / num**2 * num_groups / (num_groups - 1)
        independent = float(num_groups)
        if variance > 0:
            t = student_t(num - 1) / student_t(num_groups - 1)
            independent = min(num, share * (1 - share) / variance * t**2)
        good = share * independent
        low = 0.0 if good == 0 else float(stats.beta.ppf(0.025, good, independent - good + 1))
        high = 1.0 if share == 1 else float(stats.beta.ppf(0.975, good + 1, independent - good))
        return low, high

    def __str__(self) -> str:
        share, (low, high) = f"{self.count / len(self.is_so):.0%}", self.interval
        return (
            f"{share}, no interval" if math.isnan(low) else f"{share}, 95 % {low:.0%} to {high:.0%}"
        )
