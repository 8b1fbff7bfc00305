"""Ranks with their intervals, and the Pareto front, of set-ups that may be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.records.confidence import student_t

NUM_DRAWS = 2_000
_BATCH = 100


@dataclass(frozen=True)
class Rank:
    """rank: 1 is the best value, equal ones share theirs; low, high: its 95 % interval; stability:
    the share of draws, 0..1, in which the value keeps its rank."""

    rank: int
    low: int
    high: int
    stability: float


def ranks(
    values: Sequence[float | None],
    half_widths: Sequence[float | None],
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
    *,
    is_less_better: bool = False,
) -> list[Rank | None]:
    """The rank of each value among those that have an interval; None for the others, and for a
    lone one. A value without an interval would count as exact, in its own rank and in all others'.

    Parametric bootstrap (Goldstein and Spiegelhalter 1996, "League tables and their limitations",
    JRSS A 159:385): every value is drawn from a normal distribution whose 95 % interval is its
    half-width, and the interval of its rank holds 95 % of the drawn ranks.
    """
    present = [
        at
        for at, (value, width) in enumerate(zip(values, half_widths, strict=True))
        if not _absent(value) and not _absent(width)
    ]
    result: list[Rank | None] = [None] * len(values)
    if len(present) < 2:
        return result
    means = np.array([values[at] for at in present], dtype=float) * (-1 if is_less_better else 1)
    sigmas = np.array([half_widths[at] for at in present], dtype=float) / student_t(math.inf)
    own = _ranks(means)
    generator = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            _ranks(generator.normal(means, sigmas, size=(_BATCH, len(means))))
            for _ in range(-(-num_draws // _BATCH))
        ]
    )
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0, method="inverted_cdf")
    kept = (drawn == own).mean(axis=0)
    for index, at in enumerate(present):
        places = int(own[index]) + 1, int(low[index]) + 1, int(high[index]) + 1
        result[at] = Rank(*places, float(kept[index]))
    return result


def _ranks(values: np.ndarray) -> np.ndarray:
    """How many entries along the last axis are higher than each: its rank, from 0."""
    return (values[..., None, :] > values[..., :, None]).sum(axis=-1)


def pareto_front(
    accuracy_pct: Sequence[float | None], energy_kwh: Sequence[float | None]
) -> list[bool | None]:
    """True where nothing else is at least as accurate for at most as much electricity, and
    better in one of the two. None where either number is absent."""
    result: list[bool | None] = [None] * len(accuracy_pct)
    points = [
        (kwh, -accuracy, index)
        for index, (accuracy, kwh) in enumerate(zip(accuracy_pct, energy_kwh, strict=True))
        if accuracy is not None and kwh is not None and not _absent(accuracy) and not _absent(kwh)
    ]
    best: float = math.inf
    best_kwh = math.inf
    for kwh, negative, index in sorted(points):
        result[index] = negative < best or (negative == best and kwh == best_kwh)
        if result[index]:
            best, best_kwh = negative, kwh
    return result


def _absent(number: float | None) -> bool:
    return number is None or math.isnan(number)
