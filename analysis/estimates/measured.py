"""One row of a table as it was measured: a rate per stage and phase, and what its runs found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analysis.estimates.between_runs import ALIKE
from analysis.estimates.papers_row import papers_row
from analysis.estimates.rates import MeasuredRate, Spreads, mean, rate_of
from analysis.estimates.run import Run
from analysis.estimates.tiers import Tier, least_sure, tier_of
from analysis.records.calibration import Calibration
from analysis.records.collection import apart
from analysis.records.describe import device_of, variant_of
from metering.record import Stage
from metering.setup import SetUp, comparison_key

OWN_STAGES = ("supervised", "finetune", "distill")
"""Stages whose network is the one that is used afterwards: another stage's has a decoder, a second
tower or another head besides."""


NOT_REPEATED = "nothing was repeated here"
RUNS_ALIKE = "its runs are alike to the last digit, so how much runs differ is not seen"


@dataclass(frozen=True)
class Measured:
    """One row with everything its runs found out.

    rates: over all runs, by stage and phase; in_sweeps: over those of each sweep, by its number,
    which rows of one `merge` share.
    setup: of its newest run, of a stage of the network's own where there is one; collection: whose
    records it rests on; paper_row: of the
    paper, None where it is no row of the paper; row_key: rows with one key differ in how a stage
    was measured; comparison_key: rows with one key may be compared; tier: of its least sure rate;
    accuracy_pct: of trained weights on a whole test set of `num_accuracy_samples`, or None;
    accuracy_half_width_pct: of its 95 % interval over images, where the run kept them.
    """

    setup: SetUp
    kind: str
    collection: str
    paper_row: str | None
    dataset: str
    hardware: str
    row_key: str
    comparison_key: str
    tier: Tier
    is_at_recipe_size: bool
    rates: Mapping[tuple[str, str], MeasuredRate]
    in_sweeps: Mapping[int, Mapping[tuple[str, str], MeasuredRate]] = field(default_factory=dict)
    recipe: tuple[Stage, ...] = ()
    wall_meter: Calibration | None = None
    num_nodes: int = 1
    setup_kwh: float | None = None
    checkpoint_kwh: float | None = None
    params_m: float | None = None
    gmacs: float | None = None
    views: float | None = None
    accuracy_pct: float | None = None
    accuracy_half_width_pct: float | None = None
    num_accuracy_samples: int | None = None
    notes: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        return self.setup.asked.task

    @property
    def name(self) -> str:
        """The paper's name of the row, else the model's short name."""
        return self.paper_row or self.setup.asked.model

    @property
    def device(self) -> str:
        return device_of(self.setup)

    @property
    def variant(self) -> str:
        return variant_of(self.setup)

    @property
    def shared_variant(self) -> str:
        """The same of what networks that compare have in common."""
        return variant_of(self.setup, with_network=False)

    @property
    def order(self) -> tuple[str, ...]:
        asked = self.setup.asked
        batch_size = f"{asked.batch_size or 0:09d}"
        shown = (self.device, batch_size, asked.precision, self.variant, self.row_key)
        return (asked.task, self.name, self.dataset, self.hardware, *shown, *self.run_ids)

    def shares_sweep_with(self, other: Measured) -> bool:
        """Whether a sweep measured both. Both are of one `merge`."""
        return not self.in_sweeps.keys().isdisjoint(other.in_sweeps)

    @property
    def train_rate(self) -> MeasuredRate | None:
        """Of plain training or fine-tuning, else of the first stage that was measured."""
        trained = {stage: rate for (stage, phase), rate in self.rates.items() if phase == "train"}
        return trained.get("supervised") or next(iter(trained.values()), None)

    @property
    def test_rate(self) -> MeasuredRate | None:
        return next((rate for (_, phase), rate in self.rates.items() if phase == "test"), None)


def measured(
    key: str,
    phases: Mapping[tuple[str, str], Sequence[Run]],
    spreads: Spreads,
    in_sweeps: Spreads,
) -> Measured:
    """The row of these runs: of each stage and phase those that are repetitions, oldest first.
    spreads: how much runs differ; in_sweeps: runs of one sweep."""
    rates = {phase: rate_of(runs, spreads) for phase, runs in phases.items()}
    all_runs = (run for of_phase in phases.values() for run in of_phase)
    runs = sorted(all_runs, key=lambda run: run.order)
    own = [run for run in runs if run.stage in OWN_STAGES]
    newest = (own or runs)[-1]
    recipes = [run["recipe"] for run in runs if run["recipe"]]
    params_m, gmacs = _last(own, "params_m"), _last(own, "gmacs")
    row, why_not = papers_row(
        newest["paper_row"], newest["dataset"], newest.setup, params_m, is_own_network=bool(own)
    )
    notes = [why_not, *_notes(rates), *_flags(runs), _of_recipes(recipes)]
    accuracy = [run for run in own if run["accuracy_pct"] is not None]
    return Measured(
        setup=newest.setup,
        kind=newest["kind"],
        collection=newest.collection,
        paper_row=row,
        dataset=newest["dataset"],
        hardware=newest["hardware"] or "",
        row_key=key,
        comparison_key=_comparison_key(newest),
        tier=least_sure(tier_of(run.setup, run.is_at_recipe_size, run.values) for run in runs),
        is_at_recipe_size=all(run.is_at_recipe_size for run in runs),
        rates=rates,
        in_sweeps=_in_sweeps(phases, in_sweeps),
        recipe=recipes[-1] if recipes else (),
        wall_meter=newest["wall_meter"],
        num_nodes=round(newest["num_nodes"] or 1),
        setup_kwh=mean([run["setup_kwh"] for run in runs]),
        checkpoint_kwh=mean([run["checkpoint_kwh"] for run in runs]),
        params_m=params_m,
        gmacs=gmacs,
        views=_last([run for run in runs if run.phase == "test"], "views_per_sample"),
        accuracy_pct=_last(accuracy, "accuracy_pct"),
        accuracy_half_width_pct=_last(accuracy[-1:], "accuracy_half_width_pct"),
        num_accuracy_samples=_whole(_last(accuracy, "num_accuracy_samples")),
        notes=tuple(dict.fromkeys(note for note in notes if note)),
        run_ids=_once(runs, "run_id"),
        identities=_once(runs, "identity"),
        paths=_once(runs, "path"),
    )


def _comparison_key(run: Run) -> str:
    return apart(comparison_key(run.setup, run.is_at_recipe_size), run.collection)


def _in_sweeps(
    phases: Mapping[tuple[str, str], Sequence[Run]], spreads: Spreads
) -> dict[int, dict[tuple[str, str], MeasuredRate]]:
    by_sweep: dict[int, dict[tuple[str, str], list[Run]]] = {}
    for phase, runs in phases.items():
        for run in runs:
            by_sweep.setdefault(run.sweep, {}).setdefault(phase, []).append(run)
    return {
        sweep: {phase: rate_of(runs, spreads) for phase, runs in of_sweep.items()}
        for sweep, of_sweep in by_sweep.items()
    }


def _of_recipes(recipes: Sequence[Sequence[Stage]]) -> str:
    is_one = len(dict.fromkeys(map(tuple, recipes))) <= 1
    return "" if is_one else "its records carry different recipes; the newest is used"


def _notes(rates: Mapping[tuple[str, str], MeasuredRate]) -> list[str]:
    """What must be said of the intervals."""
    notes = []
    for (stage, phase), rate in rates.items():
        name = phase if stage in OWN_STAGES else f"{stage} {phase}"
        if not rate.is_result and rate.half_width is not None:
            share = 100 * rate.half_width / rate.kwh_per_sample
            notes.append(f"{name}: an interval of ± {share:.0f} % is no result; measure it longer")
        if rate.why_no_interval == ALIKE:
            notes.append(f"{name}: no interval: {ALIKE}")
        if rate.basis == "within this run":
            why = NOT_REPEATED if rate.num_records == 1 else RUNS_ALIKE
            notes.append(f"{name}: the interval is within this run, {why}")
    return notes


def _flags(runs: Sequence[Run]) -> list[str]:
    return [flag for run in runs for flag in (run["flags"] or "").split("; ")]


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _last(runs: Sequence[Run], name: str) -> float | None:
    return next((float(run[name]) for run in reversed(runs) if run[name] is not None), None)


def _once(runs: Sequence[Run], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(run[name]) for run in runs if run[name]))
