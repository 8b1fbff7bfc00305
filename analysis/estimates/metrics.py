"""The paper's metric and what one can ask for beside it. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

ALPHA = BETA = 5.0
"""The paper's choice, section A.5."""
UNDEFINED = "GQI is undefined at or under 1 kWh: log10 of the electricity is not above 0"

UNBOUNDED = "no interval of the GQI: that of the electricity reaches 1 kWh, where it has no bound"


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
    accuracy_half_width_pct: float | None = 0.0,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> Gqi:
    """GreenQuotientIndex, Eq. 1 of the paper: beta x accuracy^alpha / log10(kWh).

    `accuracy_pct` (top-1 or mIoU) is in percent, 0..100. Both half-widths are of 95 % intervals;
    where one is None the index has none. An accuracy without error, as between networks that were
    tested on the same images, has a half-width of 0.

    The index rises with the accuracy and falls with the electricity, so an interval of either maps
    to an interval of the index; of each the longer side counts (the index is curved, which matters
    where an interval is wide), and both are added in quadrature, as independent errors are. Where
    the electricity's interval reaches down to 1 kWh the index has no upper bound: no interval.
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
    if _absent(half_width_kwh) or _absent(accuracy_half_width_pct):
        return Gqi(value)
    assert half_width_kwh is not None and accuracy_half_width_pct is not None
    if energy_kwh - half_width_kwh <= 1:
        return Gqi(value, note=UNBOUNDED)

    def index(pct: float, kwh: float) -> float:
        return float(beta * (min(max(pct, 0.0), 100.0) / 100) ** alpha / math.log10(kwh))

    by_kwh = index(accuracy_pct, energy_kwh - half_width_kwh) - value
    by_accuracy = max(
        index(accuracy_pct + accuracy_half_width_pct, energy_kwh) - value,
        value - index(accuracy_pct - accuracy_half_width_pct, energy_kwh),
    )
    return Gqi(value, math.hypot(by_kwh, by_accuracy))


def _absent(number: float | None) -> bool:
    return number is None or math.isnan(number)


def samples_per_kwh(kwh_per_sample: float) -> float:
    """Samples (images, clips) that one kWh pays for."""
    return 1.0 / kwh_per_sample


def top1_per_kwh(top1_pct: float, energy_kwh: float) -> float:
    """Percentage points of accuracy for each kWh of training."""
    return top1_pct / energy_kwh
