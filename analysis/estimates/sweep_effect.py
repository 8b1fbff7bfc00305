"""How much a rate depends on where in its sweep a run stood, and how warm the device was.

Repetitions of one set-up at several places of a sweep give deviations from their own mean. Over
all set-ups one line is fitted to them, deviation over place, both centred within a set-up and sweep
(analysis of covariance: Snedecor and Cochran 1980, "Statistical Methods", chapter 18). A shuffled
order keeps the place from standing for something else that differs between the runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.records.confidence import student_t


@dataclass(frozen=True)
class PlacedRun:
    """setup: what repetitions have in common (merge key, phase, sweep); rate: above 0; place: in
    its sweep, from 0 (first) to 1 (last); temperature_c: before the run, None: not read."""

    setup: str
    rate: float
    place: float
    temperature_c: float | None = None


@dataclass(frozen=True)
class Slope:
    """Relative change of a rate for one unit of what varies, with the half-width of its 95 %
    interval; num_runs in num_setups, each repeated."""

    value: float
    half_width: float
    num_runs: int
    num_setups: int

    @property
    def is_shown(self) -> bool:
        return abs(self.value) > self.half_width


def order_effect(runs: Iterable[PlacedRun]) -> Slope | None:
    """Change of the rate from the first place of a sweep to the last; None where fewer than three
    repetitions, or none at two places, can tell."""
    return _slope([(run.setup, run.rate, run.place) for run in runs])


def temperature_effect(runs: Iterable[PlacedRun]) -> Slope | None:
    """Change of the rate for a degree Celsius of the device before the run."""
    return _slope(
        [(run.setup, run.rate, run.temperature_c) for run in runs if run.temperature_c is not None]
    )


def _slope(points: Sequence[tuple[str, float, float]]) -> Slope | None:
    setups: dict[str, list[tuple[float, float]]] = {}
    for setup, rate, x in points:
        setups.setdefault(setup, []).append((x, rate))
    repeated = [runs for runs in setups.values() if len(runs) > 1]
    xs: list[float] = []
    ys: list[float] = []
    for runs in repeated:
        mean_x = math.fsum(x for x, _ in runs) / len(runs)
        mean_y = math.fsum(y for _, y in runs) / len(runs)
        xs += [x - mean_x for x, _ in runs]
        ys += [y / mean_y - 1 for _, y in runs]
    square = math.fsum(x * x for x in xs)
    degrees = len(xs) - len(repeated) - 1
    if degrees < 1 or square < 1e-12:
        return None
    value = math.fsum(x * y for x, y in zip(xs, ys, strict=True)) / square
    rest = math.fsum((y - value * x) ** 2 for x, y in zip(xs, ys, strict=True))
    half_width = student_t(degrees) * math.sqrt(rest / degrees / square)
    return Slope(value, half_width, len(xs), len(repeated))
