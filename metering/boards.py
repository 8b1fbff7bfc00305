"""Several GPUs of one run as one device: alike, or named each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

Board = tuple[str | None, float | None]
"""Name, and power limit in force (W), `None` where it is not known."""


def together(boards: Sequence[Board]) -> Board:
    """Name and power limit of what computed; `(None, None)` for no GPU. Boards that are not alike
    are named each, with their limits where these differ, so that an A100 with a T4 is neither two
    A100 nor two T4; no one limit is theirs."""
    limits = {limit for _, limit in boards if limit is not None}
    names = sorted({name or "unknown" for name, _ in boards})
    if not boards:
        return None, None
    if len(names) == 1 and len(limits) <= 1:
        return boards[0][0], min(limits, default=None)
    kinds = Counter(
        (name or "unknown") + (f" at {limit:g} W" if limit and len(limits) > 1 else "")
        for name, limit in boards
    )
    description = " + ".join(f"{count} x {name}" for name, count in sorted(kinds.items()))
    return description, None if len(limits) > 1 else min(limits, default=None)
