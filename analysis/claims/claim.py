"""A claim of the paper, what bears on it, and one of three verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["holds", "does not hold", "not shown"]
HOLDS: Verdict = "holds"
FAILS: Verdict = "does not hold"
OPEN: Verdict = "not shown"
NOTHING = "nothing yet"


@dataclass(frozen=True)
class Claim:
    """place: section, figure or table; says: the claim; shown: the numbers that bear on it, with
    their n; verdict: `not shown` also where nothing was measured."""

    place: str
    says: str
    shown: str = NOTHING
    verdict: Verdict = OPEN


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """Of one claim about several models: it holds when it holds for each, and does not hold as
    soon as it fails for one."""
    if not verdicts or (OPEN in verdicts and FAILS not in verdicts):
        return OPEN
    return FAILS if FAILS in verdicts else HOLDS


def table(claims: Sequence[Claim], title: str) -> str:
    """One line a claim, Markdown; `title`: of the column that says what was found."""
    lines = [f"| Where | The paper | {title} | |", "|---|---|---|---|"]
    lines += [f"| {one.place} | {one.says} | {one.shown} | {one.verdict} |" for one in claims]
    return "\n".join(lines) + "\n"
