"""Estimates: stages x rate + what other rows cost. Pure functions over numbers with intervals.

Intervals are carried through with the delta method: a total is linear in its rates, so each
rate's half-width is scaled by its coefficient; contributions of one rate add up linearly
(they are the same error), those of different rates in quadrature (they are independent).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from metering.record import Stage

Origin = Literal["measured", "published"]


@dataclass(frozen=True)
class Quantity:
    """A number and, by the name of each rate it rests on, the half-width that rate brings.

    `spread` is None where a part has no interval: then the whole has none.
    """

    value: float
    spread: Mapping[str, float] | None = field(default_factory=dict)

    @property
    def half_width(self) -> float | None:
        """Half-width of the confidence interval, same unit as `value`."""
        if self.spread is None or not self.spread:
            return None
        return math.sqrt(sum(part * part for part in self.spread.values()))

    def times(self, factor: float) -> Quantity:
        spread = self.spread
        if spread is not None:
            spread = {name: part * factor for name, part in spread.items()}
        return Quantity(self.value * factor, spread)


def total(quantities: Iterable[Quantity]) -> Quantity:
    """Their sum, with the interval that follows."""
    value, spread, known = 0.0, dict[str, float](), True
    for quantity in quantities:
        value += quantity.value
        if quantity.spread is None:
            known = False
            continue
        for name, part in quantity.spread.items():
            spread[name] = spread.get(name, 0.0) + part
    return Quantity(value, spread if known else None)


@dataclass(frozen=True)
class Part:
    """One stage's share of an estimate, kWh, and where its number comes from. published_within:
    how much of a measured part others published; of a published part all of it is."""

    name: str
    kwh: Quantity
    origin: Origin
    note: str = ""
    published_within: float = 0.0

    @property
    def published_kwh(self) -> float:
        return self.kwh.value if self.origin == "published" else self.published_within

    def times(self, factor: float) -> Part:
        return replace(
            self, kwh=self.kwh.times(factor), published_within=self.published_within * factor
        )


@dataclass(frozen=True)
class Estimate:
    """kwh: the whole recipe, or None with the reasons in `missing`."""

    kwh: Quantity | None
    parts: tuple[Part, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_measured(self) -> bool:
        """No part was taken from the published table."""
        return self.kwh is not None and self.published_kwh == 0

    @property
    def published_kwh(self) -> float:
        """How much of the whole others published: it was not read here and has no interval."""
        return sum(part.published_kwh for part in self.parts)

    @property
    def published_share(self) -> float | None:
        """That part of the whole, 0..1."""
        return (
            None if self.kwh is None or not self.kwh.value else self.published_kwh / self.kwh.value
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: missing parts, parts that were published, not measured."""
        notes = [part.note for part in self.parts if part.note]
        return (*self.missing, *dict.fromkeys(notes))


RateOf = Callable[[str], Part | None]
"""Workload -> kWh per sample, or None where that workload was never measured."""
CostOf = Callable[[str], Part | None]
"""Another row's name -> its whole cost, kWh, or None where it is not known."""


def estimate(
    recipe: Sequence[Stage], rate_of: RateOf, cost_of: CostOf, fixed: Sequence[Part] = ()
) -> Estimate:
    """Sum over stages of (kWh per sample x samples x epochs), whole rows, and `fixed` costs."""
    if not recipe:
        return Estimate(None, missing=("no recipe is known",))
    parts: list[Part] = []
    missing: list[str] = []
    for stage in recipe:
        cost = _of_row(stage, cost_of) if stage.row else _of_stage(stage, rate_of)
        if isinstance(cost, Part):
            parts.append(cost)
        else:
            missing.append(cost)
    if missing:
        return Estimate(None, tuple(parts), tuple(missing))
    parts.extend(fixed)
    return Estimate(total(part.kwh for part in parts), tuple(parts))


def _of_row(stage: Stage, cost_of: CostOf) -> Part | str:
    cost = cost_of(stage.row or "")
    if cost is None:
        return f"{stage.name}: the cost of row {stage.row} is not known"
    return replace(cost.times(stage.share), name=stage.name)


def _of_stage(stage: Stage, rate_of: RateOf) -> Part | str:
    if stage.num_samples is None or stage.num_epochs is None:
        return f"{stage.name}: its number of samples or epochs is not known"
    rate = rate_of(stage.workload)
    if rate is None:
        return f"{stage.name}: no rate for its workload; measure it with stage={stage.workload}"
    samples = stage.num_samples * stage.num_epochs * stage.share
    return replace(rate.times(samples), name=stage.name)


def whole_run(
    set_up_kwh: Quantity,
    num_steps: float,
    kwh_per_step: Quantity,
    num_evaluations: float = 0,
    kwh_per_evaluation: Quantity = Quantity(0.0),
    num_checkpoints: float = 0,
    kwh_per_checkpoint: Quantity = Quantity(0.0),
) -> Quantity:
    """One run from start to end, kWh: set-up + steps x rate + evaluations x rate + checkpoint
    writes, each measured once. Steps may be counted in samples if the rate is per sample."""
    return total(
        (
            set_up_kwh,
            kwh_per_step.times(num_steps),
            kwh_per_evaluation.times(num_evaluations),
            kwh_per_checkpoint.times(num_checkpoints),
        )
    )
