"""Does the first part of a run predict the whole? The estimate's own model, checked on records.

A phase's measured blocks are cut in two. From the first part come the rate and its interval;
the run's energy is predicted as set-up + steps x rate + evaluations x rate + checkpoint writes
(`estimate.whole_run`) and compared with what was read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.estimate import Quantity, whole_run
from metering.record import Overhead, PhaseRecord, Reading, Record

MIN_BLOCKS = 4
"""Fewer blocks give no interval worth the name."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Prediction:
    """One phase of one run, kWh: predicted with its half-width, and realised."""

    run: str
    num_first: int
    num_blocks: int
    predicted_kwh: float
    half_width_kwh: float
    realised_kwh: float

    @property
    def error(self) -> float:
        """(predicted - realised) / realised."""
        return self.predicted_kwh / self.realised_kwh - 1

    @property
    def held(self) -> bool:
        """The realised energy lies inside the predicted interval."""
        rounding = 1e-9 * self.realised_kwh
        return abs(self.predicted_kwh - self.realised_kwh) <= self.half_width_kwh + rounding

    def __str__(self) -> str:
        verdict = "held" if self.held else "missed"
        return (
            f"{self.run}: from {self.num_first} of {self.num_blocks} blocks predicted "
            f"{self.predicted_kwh:.4g} ± {self.half_width_kwh:.2g} kWh, realised "
            f"{self.realised_kwh:.4g} kWh, error {self.error:+.2%}, interval {verdict}"
        )


def predictions_of(record: Record, first: float) -> list[Prediction]:
    """One prediction per phase with blocks enough, from its first share `first`."""
    found = []
    for name, phase in record.phases.items():
        run = f"{record.model} on {record.hardware}, {name}"
        one = _predict(run, phase, record.overheads if name == "train" else (), first)
        if one is not None:
            found.append(one)
    return found


def _predict(
    run: str, phase: PhaseRecord, overheads: Sequence[Overhead], first: float
) -> Prediction | None:
    blocks = [block for block in phase.readings if block.use == "measured" and block.num_steps]
    blocks = [block for block in blocks if block.energy.total_kwh is not None]
    if len(blocks) < 2 * MIN_BLOCKS:
        return None
    num_first = min(max(MIN_BLOCKS, round(first * len(blocks))), len(blocks) - 1)
    seen, rest = blocks[:num_first], blocks[num_first:]
    mean, half_width = rate(seen, sum(block.num_steps for block in rest))
    evaluations, checkpoints = (_overhead_kwh(overheads, kind) for kind in ("eval", "checkpoint"))
    known = sum(_overhead_kwh(overheads, "set-up")) + sum(_kwh(block) for block in seen)
    predicted = whole_run(
        Quantity(known),
        sum(block.num_steps for block in rest),
        Quantity(mean, {"rate": half_width}),
        len(evaluations),
        Quantity(evaluations[0] if evaluations else 0.0),
        len(checkpoints),
        Quantity(checkpoints[0] if checkpoints else 0.0),
    )
    realised = known + sum(_kwh(block) for block in rest) + sum(evaluations) + sum(checkpoints)
    return Prediction(
        run, num_first, len(blocks), predicted.value, predicted.half_width or 0.0, realised
    )


def _kwh(block: Reading) -> float:
    return block.energy.total_kwh or 0.0


def _overhead_kwh(overheads: Sequence[Overhead], kind: str) -> list[float]:
    """Energy of each overhead of this kind, kWh, in order."""
    return [one.energy.total_kwh or 0.0 for one in overheads if one.name.startswith(kind)]


def rate(blocks: Sequence[Reading], num_steps: int) -> tuple[float, float]:
    """Mean kWh per step, and the half-width of the interval of the mean over `num_steps`
    further steps: Student's t over blocks, for the error of both means.

    Neighbouring blocks that resemble each other count for less: n (1 - r) / (1 + r) with the
    lag-1 autocorrelation r (the AR(1) correction, Zwiers & von Storch 1995).
    """
    from scipy.stats import t

    values = [_kwh(block) / block.num_steps for block in blocks]
    weights = [block.num_steps for block in blocks]
    mean = sum(_kwh(block) for block in blocks) / sum(weights)
    n = len(values)
    deviations = [value - mean for value in values]
    variance = sum(d * d for d in deviations) / (n - 1)
    pairs = sum(a * b for a, b in pairwise(deviations))
    correlation = pairs / sum(d * d for d in deviations) if variance else 0.0
    inflation = (1 + max(correlation, 0.0)) / (1 - min(max(correlation, 0.0), 0.95))
    effective = max(n / inflation, 2.0)
    further = max(num_steps * n / sum(weights) / inflation, 1.0)
    quantile = float(t.ppf((1 + CONFIDENCE) / 2, effective - 1))
    return mean, quantile * math.sqrt(variance * (1 / effective + 1 / further))
