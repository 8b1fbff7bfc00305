"""The claim that a short run predicts a long one, over every window that was measured."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats

from analysis.claims.claim import FAILS, HOLDS, MARGIN, OPEN, Claim, Verdict
from analysis.estimates.validate import LeftOut, Prediction

SHARE_RIGHT = 0.95
"""So many windows must be predicted within the margin: what a 95 % interval promises."""


def short_predicts_long(outcomes: Sequence[Prediction | LeftOut]) -> Claim:
    """`outcomes`: of every window, predicted from its first part or left out for a reason."""
    says = "a short run predicts a long one"
    made = [one for one in outcomes if isinstance(one, Prediction)]
    if not made:
        return Claim("A.4", says)
    errors = [abs(one.error) for one in made]
    within, held = sum(error <= MARGIN for error in errors), sum(one.held for one in made)
    shown = (
        f"{len(made)} of {len(outcomes)} windows have blocks enough; of these, from their first "
        f"fifth, {within} are predicted within {MARGIN:.0%} ({_percent(within, len(made))}; "
        f"median error {sorted(errors)[len(errors) // 2]:.1%}, worst {max(errors):.0%}); our "
        f"95 % interval held in {held} ({_percent(held, len(made))})"
        f" (limit: {SHARE_RIGHT:.0%} of the windows)"
    )
    return Claim("A.4", says, shown, _verdict(within, len(made)))


def _verdict(within: int, num: int) -> Verdict:
    interval = stats.binomtest(within, num).proportion_ci()
    if interval.low >= SHARE_RIGHT:
        return HOLDS
    return FAILS if interval.high < SHARE_RIGHT else OPEN


def _percent(count: int, num: int) -> str:
    """The share with its exact binomial 95 % interval."""
    interval = stats.binomtest(count, num).proportion_ci()
    return f"{count / num:.0%}, 95 % {interval.low:.0%} to {interval.high:.0%}"
