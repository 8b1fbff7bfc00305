"""The flags that say that a log's energy is wrong, so that nothing can be made of it."""

from __future__ import annotations

from collections.abc import Sequence

UNIT_MISTAKEN = "a unit is mistaken, and no rate is made"
NO_PUE = "is no data centre's: it is not divided out, and no rate is made"
GPU_NOT_READ = "a GPU is listed and its energy is 0 or empty: it was not read, and no rate is made"


def energy_fault(flags: Sequence[str]) -> str | None:
    """The first of `flags` that says so."""
    return next(
        (flag for flag in flags if flag.endswith((UNIT_MISTAKEN, GPU_NOT_READ, NO_PUE))), None
    )
