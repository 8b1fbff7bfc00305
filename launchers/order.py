"""In which order the runs of a sweep are run, and where each stands in it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tasks.config.values import MAX_REPEATS


def ordered(
    job_overrides: Sequence[Sequence[str]], order: str, seed: int, repeats: int = 1
) -> list[list[str]]:
    """The overrides of every run, each repetition a run of its own: one after the other they would
    share the machine's state, and tell nothing of another run. order: given | shuffled. repeats: of
    a job whose overrides do not say, as its config has it."""
    runs = [
        run for overrides in job_overrides for run in _each_repetition(list(overrides), repeats)
    ]
    if order == "shuffled":
        random.Random(seed).shuffle(runs)
    return runs


def _each_repetition(overrides: list[str], of_config: int) -> list[list[str]]:
    values = dict(override.partition("=")[::2] for override in overrides)
    repeats = values.get("repeats", str(of_config))
    if not repeats.isdigit() or "repetition" in values:
        return [overrides]
    if not 1 < int(repeats) <= MAX_REPEATS:  # what is above is for the plan to refuse
        return [overrides]
    return [[*overrides, f"repetition={number}"] for number in range(1, int(repeats) + 1)]
