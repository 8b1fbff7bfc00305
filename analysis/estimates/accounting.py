"""Which recipe and which costs an estimate uses: `source` (the recipe as its authors gave it,
carried by the record) or `paper` (the one that reproduces the published totals)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from analysis.estimates.estimate import Estimate, Part, Quantity, estimate
from analysis.estimates.measured import Measured
from analysis.estimates.rates import MeasuredRate
from analysis.published import facts as published
from analysis.records.collection import apart
from metering import catalogue
from metering.record import Stage
from metering.setup import lender_key

Accounting = Literal["source", "paper"]
PAPER_BATCH_SIZE = 32
ACCOUNTINGS: tuple[Accounting, ...] = ("source", "paper")


@dataclass
class Costs:
    """Looks up what a row costs: measured on the same hardware where it can be, else published.

    evaluations, checkpoints: how many per epoch a training run adds to its steps; the paper
    counts none, so neither do we unless asked.
    """

    measured: Sequence[Measured]
    accounting: Accounting = "source"
    evaluations: float = 0.0
    checkpoints: float = 0.0
    _lenders: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.measured:
            if row.paper_row and row.tier != "small":
                key = row.paper_row, _lender_key(row)
                self._lenders.setdefault(key, []).append(row)

    def estimate(self, measured: Measured, within: tuple[str, ...] = ()) -> Estimate:
        """Training electricity of the whole recipe of `measured`, kWh; none of a scaled-down study,
        nor of a recipe that is another data set's."""
        if measured.tier == "small":
            return Estimate(None, missing=(_why_small(measured),))
        recipe = self._recipe(measured)
        if not recipe and self.accounting == "paper":
            return Estimate(None, missing=("the paper's recipe of this row is not known",))
        if why_not := _of_another_set(recipe, measured):
            return Estimate(None, missing=(why_not,))
        names = (*within, measured.name)
        estimated = estimate(
            recipe,
            lambda workload: _rate(measured, workload),
            lambda name: None if name in names else self._cost(name, measured, names),
            self._fixed(measured, recipe),
        )
        if self.accounting == "paper":
            return estimated
        notes = {stage.name: _how_priced(stage, measured.recipe) for stage in recipe}
        return replace(estimated, parts=tuple(_with_note(part, notes) for part in estimated.parts))

    def _recipe(self, measured: Measured) -> tuple[Stage, ...]:
        """The paper's accounting prices every supervised stage alike; ours takes the rate of
        the stage's own step where that was measured."""
        if self.accounting == "source":
            return tuple(_with_own_step(stage, measured) for stage in measured.recipe)
        paper_recipe = published.paper_recipes().get((measured.paper_row or "", measured.dataset))
        return paper_recipe.stages if paper_recipe else ()

    def _fixed(self, measured: Measured, recipe: Sequence[Stage]) -> tuple[Part, ...]:
        """Set-up, once per own stage; evaluations and checkpoint writes, if they are asked for.
        The paper's totals hold none of them."""
        if self.accounting == "paper":
            return ()
        own = [stage for stage in recipe if stage.row is None]
        epochs = sum(stage.num_epochs or 0 for stage in own)
        parts = []
        if measured.setup_kwh is not None:
            parts.append(Part("set-up", Quantity(measured.setup_kwh * len(own)), "measured"))
        if self.evaluations:
            parts.append(self._evaluations(measured, epochs))
        if self.checkpoints:
            kwh = None if measured.checkpoint_kwh is None else Quantity(measured.checkpoint_kwh)
            parts.append(_times("checkpoint writes", kwh, self.checkpoints * epochs))
        return tuple(parts)

    def _evaluations(self, measured: Measured, epochs: float) -> Part:
        rate, samples = measured.test_rate, num_test_samples(measured)
        kwh = None
        if rate is not None and samples is not None:
            kwh = quantity(rate, f"{id(measured)}/test").times(samples)
        return _times("evaluations", kwh, self.evaluations * epochs)

    def _cost(self, name: str, asking: Measured, within: tuple[str, ...]) -> Part | None:
        for other in self._candidates(name, asking):
            estimated = self.estimate(other, within)
            if estimated.kwh is not None:
                note = f"{name} measured at batch size {other.setup.asked.batch_size}"
                if not estimated.is_measured:
                    note += ", parts of it published"
                return Part(name, estimated.kwh, "measured", note, estimated.published_kwh)
        return _published_cost(name)

    def _candidates(self, name: str, asking: Measured) -> list[Measured]:
        """The row's set-ups that are alike in hardware, precision, kind of data and size, of the
        same collection; the
        paper's batch size of 32 first."""

        def order(row: Measured) -> tuple[bool, float]:
            batch_size = row.setup.asked.batch_size
            return batch_size != PAPER_BATCH_SIZE, -(batch_size or 0)

        key = name, _lender_key(asking)
        return sorted(self._lenders.get(key, ()), key=order)


def _lender_key(measured: Measured) -> str:
    return apart(lender_key(measured.setup, measured.is_at_recipe_size), measured.collection)


def num_test_samples(measured: Measured) -> int | None:
    """Samples of the test set that the row is about: the public set's, else the run's own."""
    known = catalogue.data_set(measured.dataset)
    if known is not None and known.num_test is not None:
        return known.num_test
    return measured.setup.asked.data.num_test


def _why_small(measured: Measured) -> str:
    if measured.setup.asked.scale == "small":
        return "a scaled-down study gives rates, never a full recipe's electricity"
    return "not shown to be at the recipe's input size: a rate, never a full recipe's cost"


def _of_another_set(recipe: Sequence[Stage], measured: Measured) -> str:
    """Why the recipe is not one for the data of `measured`; empty where it is."""
    own = [stage.dataset for stage in recipe if stage.row is None and stage.dataset]
    if not own:
        return ""
    known = catalogue.data_set(own[-1])
    name = known.display_name if known else own[-1]
    asked = measured.setup.asked.data.name
    if measured.dataset == name or own[-1] == asked == measured.dataset:
        return ""
    return (
        f"the recipe is one for {name}, the run's data are {measured.dataset}: give your training "
        f"in model.recipe, with dataset: {asked}"
    )


def _own_step(stage: Stage, recipe: Sequence[Stage]) -> str | None:
    """What `run.py stage=` calls the stage's own step; None where a supervised step is it."""
    if stage.row is not None:
        return None
    if stage.workload != "supervised":
        return stage.workload
    if stage.name == "pretrain":
        return "pretrain"
    has_teacher = any(other.name == "teacher" for other in recipe)
    return "distill" if has_teacher else None


def _with_own_step(stage: Stage, measured: Measured) -> Stage:
    own = _own_step(stage, measured.recipe)
    if own is None or (own, "train") not in measured.rates:
        return stage
    return replace(stage, workload=own)


def _how_priced(stage: Stage, recipe: Sequence[Stage]) -> str:
    own = _own_step(stage, recipe)
    if stage.workload == own:
        return f"{stage.name}: its own step was measured (stage={own})"
    if own is not None:
        return f"{stage.name}: priced at supervised steps; stage={own} was not measured"
    return ""


def _with_note(part: Part, notes: dict[str, str]) -> Part:
    words = "; ".join(word for word in (notes.get(part.name, ""), part.note) if word)
    return part if words == part.note else replace(part, note=words)


def _times(name: str, kwh: Quantity | None, number: float) -> Part:
    """`number` times a cost; where it was not measured, nothing, and the note says so."""
    if kwh is None:
        return Part(name, Quantity(0.0), "measured", f"{name} left out: their cost is not measured")
    return Part(name, kwh.times(number), "measured", f"with {number:g} {name}")


def _rate(measured: Measured, workload: str) -> Part | None:
    rate = measured.rates.get((workload, "train"))
    if rate is None:
        return None
    return Part(workload, quantity(rate, f"{id(measured)}/{workload}"), "measured")


def quantity(rate: MeasuredRate, name: str) -> Quantity:
    """kWh per sample with its interval under `name`."""
    spread = None if rate.half_width is None else {name: rate.half_width}
    return Quantity(rate.kwh_per_sample, spread)


def _published_cost(name: str) -> Part | None:
    """What the paper says a row costs: without an interval, for it gives none."""
    for known in catalogue.DATA_SETS:
        kwh = published.value(name, known.display_name, "train_kwh")
        if known.in_table and kwh is not None:
            note = f"{name} published, not measured here"
            return Part(name, Quantity(kwh, None), "published", note)
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
