"""Ranks with their intervals, and the Pareto front, of set-ups that may be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.records.confidence import CONFIDENCE, student_t

NUM_DRAWS = 2_000


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
    lone one. A value without an interval, or with one of no width, would count as exact, in its own
    rank and in all others'.

    Every value is normal, its 95 % interval the half-width. The interval of a rank is made of
    differences (Mogstad, Romano, Shaikh and Wilhelm 2024, "Inference for ranks", Review of
    Economic Studies 91:476): of the others so many are shown to be higher, so many to be lower, at
    95 % over all of them at once. A bootstrap of the ranks themselves promises too much where
    values are near each other. The draws give the stability.
    """
    present = [
        at
        for at, (value, width) in enumerate(zip(values, half_widths, strict=True))
        if not _absent(value) and not _absent(width) and width
    ]
    result: list[Rank | None] = [None] * len(values)
    if len(present) < 2:
        return result
    means = np.array([values[at] for at in present], dtype=float) * (-1 if is_less_better else 1)
    sigmas = np.array([half_widths[at] for at in present], dtype=float) / student_t(math.inf)
    own = _ranks(means)
    noise = np.random.default_rng(seed).normal(0.0, sigmas, size=(num_draws, len(means)))
    for index, at in enumerate(present):
        low, high = _bounds(means, sigmas, noise, index)
        higher = ((means + noise) > (means + noise)[:, [index]]).sum(axis=1)
        kept = float((higher == own[index]).mean())
        result[at] = Rank(int(own[index]) + 1, low, high, kept)
    return result


def _bounds(
    means: np.ndarray, sigmas: np.ndarray, noise: np.ndarray, index: int
) -> tuple[int, int]:
    """Lowest and highest rank, from 1, that the differences from `index` to all others allow."""
    others = np.arange(len(means)) != index
    differences = (means - means[index])[others]
    spread = np.hypot(sigmas, sigmas[index])[others]
    has_noise = spread > 0
    drawn = np.abs(noise - noise[:, [index]])[:, others][:, has_noise] / spread[has_noise]
    limit = np.quantile(drawn.max(axis=1), CONFIDENCE) if has_noise.any() else 0.0
    num_higher = int((differences > limit * spread).sum())
    num_lower = int((differences < -limit * spread).sum())
    return 1 + num_higher, len(means) - num_lower


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
