"""Which recipe and which costs an estimate uses: `source` (the recipe as its authors gave it,
carried by the record) or `paper` (the one that reproduces the published totals)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from analysis import published_facts as published
from analysis.estimate import Estimate, Part, Quantity, estimate
from analysis.merge import Measured, MeasuredRate
from metering.record import Stage

Accounting = Literal["source", "paper"]
ACCOUNTINGS: tuple[Accounting, ...] = ("source", "paper")


@dataclass
class Costs:
    """Looks up what a row costs: measured on the same hardware where it can be, else published."""

    measured: Sequence[Measured]
    accounting: Accounting = "source"
    _index: dict[str, list[Measured]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.measured:
            if one.key.paper_row:
                self._index.setdefault(one.key.paper_row, []).append(one)

    def estimate(self, one: Measured, within: tuple[str, ...] = ()) -> Estimate:
        """Training electricity of the whole recipe of `one`, kWh."""
        recipe = self._recipe(one)
        if not recipe and self.accounting == "paper":
            return Estimate(None, missing=("the paper's recipe of this row is not known",))
        row = one.key.paper_row or one.key.model
        names = (*within, row)
        return estimate(
            recipe,
            lambda workload: _rate(one, workload),
            lambda name: None if name in names else self._cost(name, one, names),
            self._fixed(one, recipe),
        )

    def _recipe(self, one: Measured) -> tuple[Stage, ...]:
        if self.accounting == "source":
            return one.recipe
        found = published.paper_recipes().get((one.key.paper_row or "", one.key.dataset))
        return found.stages if found else ()

    def _fixed(self, one: Measured, recipe: Sequence[Stage]) -> tuple[Part, ...]:
        """Set-up, once per own stage. The paper's totals hold none."""
        if self.accounting == "paper" or one.setup_kwh is None:
            return ()
        own = sum(stage.row is None for stage in recipe)
        return (Part("set-up", Quantity(one.setup_kwh * own), "measured"),)

    def _cost(self, name: str, asking: Measured, within: tuple[str, ...]) -> Part | None:
        for other in self._candidates(name, asking):
            found = self.estimate(other, within)
            if found.kwh is not None:
                note = f"{name} measured at batch size {other.key.batch_size}"
                if not found.is_measured:
                    note += ", parts of it published"
                return Part(name, found.kwh, "measured" if found.is_measured else "published", note)
        return _published_cost(name)

    def _candidates(self, name: str, asking: Measured) -> list[Measured]:
        """The row's set-ups on the same hardware; the paper's batch size of 32 first."""

        def same(one: Measured) -> bool:
            mine, its = asking.key, one.key
            return (its.hardware, its.gpu_name, its.num_devices, its.precision, its.scale) == (
                (mine.hardware, mine.gpu_name, mine.num_devices, mine.precision, mine.scale)
            )

        def order(one: Measured) -> tuple[bool, float]:
            return one.key.batch_size != 32, -(one.key.batch_size or 0)

        return sorted(filter(same, self._index.get(name, ())), key=order)


def _rate(one: Measured, workload: str) -> Part | None:
    found = one.rates.get((workload, "train"))
    if found is None:
        return None
    return Part(workload, quantity(found, f"{id(one)}/{workload}"), "measured", found.note)


def quantity(rate: MeasuredRate, name: str) -> Quantity:
    """kWh per sample with its interval under `name`."""
    spread = None if rate.half_width is None else {name: rate.half_width}
    return Quantity(rate.kwh_per_sample, spread)


def _published_cost(name: str) -> Part | None:
    for dataset in (published.IMAGENET, published.CITYSCAPES, published.ADE20K):
        kwh = published.value(name, dataset, "train_kwh")
        if kwh is not None:
            return Part(name, Quantity(kwh), "published", f"{name} published, not measured here")
    return None


def published_estimate(model: str, dataset: str) -> Estimate:
    """The paper's accounting on its own implied rates: what Table 1, 2 and 3 print.

    Everything in it is published or derived from what is published; nothing was measured.
    """
    recipe = published.paper_recipes().get((model, dataset))
    rates = published.implied_rates()

    def rate_of(workload: str) -> Part | None:
        rate = rates.get((model, dataset, workload))
        if rate is None:
            return None
        return Part(workload, Quantity(rate.kwh_per_sample, None), "published", rate.note)

    if recipe is None:
        return Estimate(None, missing=("the paper's recipe of this row is not known",))
    return estimate(recipe.stages, rate_of, _published_cost)
