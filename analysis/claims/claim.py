"""A claim of the paper, the numbers that test it, and one of three verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["holds", "does not hold", "not shown"]
HOLDS: Verdict = "holds"
FAILS: Verdict = "does not hold"
OPEN: Verdict = "not shown"
NOTHING = "nothing yet"
MARGIN = 0.05
"""Two amounts of electricity are called the same within this share."""


@dataclass(frozen=True)
class Claim:
    """place: section, figure or table; says: the claim; shown: the numbers that test it, with
    their n; verdict: `not shown` also where nothing was measured."""

    place: str
    says: str
    shown: str = NOTHING
    verdict: Verdict = OPEN


Part = tuple[str, Verdict]
"""One model's numbers in words, and its own verdict."""


def of_parts(place: str, says: str, parts: Sequence[Part], limit: str = "") -> Claim:
    """A claim about several models, from theirs; `limit`: what decides, in words."""
    if not parts:
        return Claim(place, says)
    words = "; ".join(text for text, _ in parts)
    shown = f"{words} ({limit})" if limit else words
    return Claim(place, says, shown, all_of([verdict for _, verdict in parts]))


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """Of one claim about several models: it holds when it holds for each, and does not hold as
    soon as it fails for one."""
    if FAILS in verdicts:
        return FAILS
    return HOLDS if verdicts and OPEN not in verdicts else OPEN


def above(low: float, high: float, limit: float) -> Verdict:
    """Whether a number is above `limit`, by its interval; `nan` shows nothing."""
    if math.isnan(low) or math.isnan(high):
        return OPEN
    return HOLDS if low > limit else FAILS if high <= limit else OPEN


def equivalent(low: float, high: float, margin: float = MARGIN) -> Verdict:
    """Whether a difference is within +- `margin`, by its interval: it must lie inside whole. A
    difference that is not seen shows nothing."""
    if math.isnan(low) or math.isnan(high):
        return OPEN
    if -margin <= low and high <= margin:
        return HOLDS
    return FAILS if low > margin or high < -margin else OPEN


def table(claims: Sequence[Claim], title: str) -> str:
    """One line a claim, Markdown; `title`: of the column that says what was found."""
    lines = [f"| Where | The paper | {title} | |", "|---|---|---|---|"]
    lines += [
        f"| {claim.place} | {claim.says} | {claim.shown} | {claim.verdict} |" for claim in claims
    ]
    return "\n".join(lines) + "\n"
