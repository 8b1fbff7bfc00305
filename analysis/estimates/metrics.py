"""The paper's metric and what one can ask for beside it. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ALPHA = BETA = 5.0
"""The paper's choice, section A.5."""
UNDEFINED = "GQI is undefined at or under 1 kWh: log10 of the electricity is not above 0"
Z_95 = 1.959964
"""Half-width over standard deviation of a two-sided 95 % interval of the normal distribution."""


@dataclass(frozen=True)
class Gqi:
    """value: the index, or None with the reason in `note`; half_width: of its interval."""

    value: float | None
    half_width: float | None = None
    note: str = ""


def gqi(
    accuracy_pct: float | None,
    energy_kwh: float | None,
    half_width_kwh: float | None = None,
    *,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> Gqi:
    """GreenQuotientIndex, Eq. 1 of the paper: beta x accuracy^alpha / log10(kWh).

    `accuracy_pct` (top-1 or mIoU) is in percent, 0..100. The interval is the delta method's:
    the accuracy counts as exact, |d GQI / d kWh| = GQI / (kWh ln 10 log10 kWh).
    """
    if _absent(accuracy_pct) or _absent(energy_kwh):
        return Gqi(None, note="GQI needs an accuracy and an electricity")
    assert accuracy_pct is not None and energy_kwh is not None
    if not 0 <= accuracy_pct <= 100:
        raise ValueError(f"accuracy {accuracy_pct} is not in 0..100 %; give percent")
    if energy_kwh <= 0:
        raise ValueError(f"electricity {energy_kwh} kWh is not above 0")
    if energy_kwh <= 1:
        return Gqi(None, note=UNDEFINED)
    log_kwh = math.log10(energy_kwh)
    value = beta * (accuracy_pct / 100) ** alpha / log_kwh
    half_width = None
    if half_width_kwh is not None and not _absent(half_width_kwh):
        half_width = abs(value) * half_width_kwh / (energy_kwh * math.log(10) * log_kwh)
    return Gqi(value, half_width)


def _absent(number: float | None) -> bool:
    return number is None or math.isnan(number)


def rank_stability(
    values: Sequence[float | None],
    half_widths: Sequence[float | None],
    *,
    num_draws: int = 2_000,
    seed: int = 0,
) -> list[float | None]:
    """How often each entry keeps its rank (highest first) within the intervals, 0..1.

    Parametric bootstrap: every value is drawn from a normal distribution whose 95 % interval
    is its half-width; one without an interval stands still. None for an absent value.
    """
    present = [i for i, value in enumerate(values) if value is not None and not math.isnan(value)]
    result: list[float | None] = [None] * len(values)
    if not present:
        return result
    means = np.array([values[i] for i in present], dtype=float)
    widths = [half_widths[i] for i in present]
    sigmas = np.array([0.0 if _absent(width) else width for width in widths], dtype=float) / Z_95
    generator = np.random.default_rng(seed)
    kept = np.zeros(len(present))
    ranks = _ranks(means)
    for _ in range(-(-num_draws // 100)):
        draws = generator.normal(means, sigmas, size=(100, len(means)))
        kept += (_ranks(draws) == ranks).sum(axis=0)
    share = kept / (100 * -(-num_draws // 100))
    for index, kept_share in zip(present, share, strict=True):
        result[index] = float(kept_share)
    return result


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each entry along the last axis, highest first, ties in order."""
    order = np.argsort(-values, axis=-1, kind="stable")
    return np.argsort(order, axis=-1, kind="stable")


def samples_per_kwh(kwh_per_sample: float) -> float:
    """Samples (images, clips) that one kWh pays for."""
    return 1.0 / kwh_per_sample


def top1_per_kwh(top1_pct: float, energy_kwh: float) -> float:
    """Percentage points of accuracy for each kWh of training."""
    return top1_pct / energy_kwh


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
