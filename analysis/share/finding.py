"""What is wrong with a record, or doubtful of it, and which mistaken unit would explain it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Weight = Literal["wrong", "doubtful"]
NEAR = 0.02
"""How far a ratio may be from a unit's factor that explains it."""
_ENERGY = {3.6e6: "J", 3600.0: "kJ", 3.6: "MJ", 1000.0: "Wh"}


@dataclass(frozen=True)
class Finding:
    weight: Weight
    reason: str


def wrong(reason: str) -> Finding:
    return Finding("wrong", reason)


def doubtful(reason: str) -> Finding:
    return Finding("doubtful", reason)


def unit_hint(ratio: float, of_1000: tuple[str, str] | None = None) -> str:
    """`: kJ taken for kWh?` where `ratio` is that of two units of energy; of_1000: what a factor
    of 1000, and one of 1/1000, mean instead."""
    if of_1000 is not None:
        many, few = of_1000
        if _is_near(ratio, 1000.0):
            return f": {many}?"
        return f": {few}?" if _is_near(ratio, 1e-3) else ""
    for factor, unit in _ENERGY.items():
        if _is_near(ratio, factor):
            return f": {unit} taken for kWh?"
        if _is_near(ratio, 1 / factor):
            return f": kWh taken for {unit}?"
    return ""


def time_hint(ratio: float) -> str:
    if _is_near(ratio, 1000.0):
        return ": ms taken for s?"
    return ": s taken for ms?" if _is_near(ratio, 1e-3) else ""


def _is_near(ratio: float, factor: float) -> bool:
    return abs(ratio / factor - 1) <= NEAR
