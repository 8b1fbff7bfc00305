"""Does the first part of a run predict the rest? The estimate's own model, checked on records.

A phase's measured blocks are cut in two. The rate of the first part, with its interval, times the
steps of the rest predicts what those steps use, and that is compared with what was read. The whole
run (`estimate.whole_run`: set-up + steps x rate + checkpoint writes, each measured once) is given
beside it: its first part and its overheads are measured, hence the same number on both sides, and
make its relative error smaller than what the prediction deserves.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.estimates.estimate import Quantity, whole_run
from analysis.estimates.forecast import prediction_half_width
from analysis.records.describe import device_of
from metering.block import preferred
from metering.record import Overhead, PhaseRecord, Reading, Record

MIN_BLOCKS = 4
"""Fewer blocks give no interval worth the name."""
MEASURE_LONGER = "meter.min_blocks=40 meter.time_budget_s=600"
OVERHEADS = ("set-up", "checkpoint")
"""What belongs to every run beside its steps; idle power and cut-off attempts do not."""


@dataclass(frozen=True)
class Prediction:
    """The steps after the first part of one phase of one run, kWh: predicted with the half-width
    of the 95 % interval, and realised. group: the network and its machine, whose windows are
    alike.

    whole_predicted_kwh, whole_realised_kwh: the same with the first part and `overheads`, both as
    measured; nan where nobody asked for them.
    """

    run: str
    num_first: int
    num_blocks: int
    predicted_kwh: float
    half_width_kwh: float
    realised_kwh: float
    whole_predicted_kwh: float = math.nan
    whole_realised_kwh: float = math.nan
    overheads: tuple[str, ...] = ()
    group: str = ""

    @property
    def error(self) -> float:
        """(predicted - realised) / realised, of the steps that were predicted."""
        return self.predicted_kwh / self.realised_kwh - 1

    @property
    def whole_error(self) -> float:
        """(predicted - realised) / realised, of the whole run."""
        return self.whole_predicted_kwh / self.whole_realised_kwh - 1

    @property
    def held(self) -> bool:
        """The realised energy lies inside the predicted interval."""
        rounding = 1e-9 * self.realised_kwh
        return abs(self.predicted_kwh - self.realised_kwh) <= self.half_width_kwh + rounding

    def __str__(self) -> str:
        verdict = "held" if self.held else "missed"
        measured = ", ".join(("first part", *self.overheads))
        return (
            f"{self.run}: from {self.num_first} of {self.num_blocks} blocks predicted "
            f"{self.predicted_kwh:.4g} ± {self.half_width_kwh:.2g} kWh for the steps of the rest, "
            f"realised {self.realised_kwh:.4g} kWh, error {self.error:+.2%}, interval {verdict}\n"
            f"  whole run {self.whole_predicted_kwh:.4g} ± {self.half_width_kwh:.2g} kWh, realised "
            f"{self.whole_realised_kwh:.4g} kWh, error {self.whole_error:+.2%} "
            f"(as measured on both sides: {measured})"
        )


@dataclass(frozen=True)
class LeftOut:
    """A run or a phase that cannot be predicted, and why."""

    run: str
    reason: str

    def __str__(self) -> str:
        return f"{self.run}: {self.reason}"


def predictions_of(record: Record, first: float) -> list[Prediction | LeftOut]:
    """Each phase predicted from its first share `first` (0..1), or why it is not."""
    run = f"{record.model} on {record.hardware}"
    if record.status != "finished":
        return [LeftOut(run, f"the run is {record.status}, not finished")]
    if not record.phases:
        return [LeftOut(run, "no phase was measured")]
    outcomes = (
        _predict(f"{run}, {name}", phase, record.overheads if name == "train" else (), first)
        for name, phase in record.phases.items()
    )
    group = f"{record.model} on {device_of(record.setup)}"
    return [
        dataclasses.replace(outcome, group=group) if isinstance(outcome, Prediction) else outcome
        for outcome in outcomes
    ]


def _predict(
    run: str, phase: PhaseRecord, overheads: Sequence[Overhead], first: float
) -> Prediction | LeftOut:
    blocks = [block for block in phase.readings if block.use == "measured"]
    if reason := _fault(blocks):
        return LeftOut(run, reason)
    num_first = min(max(MIN_BLOCKS, round(first * len(blocks))), len(blocks) - 1)
    kwh = [preferred(block).total_kwh or 0.0 for block in blocks]
    steps = [block.num_steps for block in blocks]
    first_kwh, rest_kwh = sum(kwh[:num_first]), sum(kwh[num_first:])
    if not (0 < first_kwh < math.inf and 0 < rest_kwh < math.inf):
        return LeftOut(run, f"read {first_kwh:g} kWh at first and {rest_kwh:g} kWh afterwards")
    num_further = sum(steps[num_first:])
    half_width = prediction_half_width(kwh[:num_first], steps[:num_first], num_further)
    rate = Quantity(first_kwh / sum(steps[:num_first]), {"rate": half_width})
    rest = rate.times(num_further)
    extra = {name: _overhead_kwh(overheads, name) for name in OVERHEADS}
    writes = extra["checkpoint"]
    whole = whole_run(
        Quantity(sum(extra["set-up"]) + first_kwh),
        num_further,
        rate,
        num_checkpoints=len(writes),
        kwh_per_checkpoint=Quantity(sum(writes) / len(writes) if writes else 0.0),
    )
    return Prediction(
        run,
        num_first,
        len(blocks),
        rest.value,
        rest.half_width or 0.0,
        rest_kwh,
        whole.value,
        first_kwh + rest_kwh + sum(map(sum, extra.values())),
        tuple(name for name, energies in extra.items() if energies),
    )


def _fault(blocks: Sequence[Reading]) -> str:
    """Why these blocks predict nothing; empty where they can."""
    if len(blocks) < 2 * MIN_BLOCKS:
        return (
            f"{len(blocks)} measured blocks, {2 * MIN_BLOCKS} are needed; "
            f"measure longer with {MEASURE_LONGER}"
        )
    if not all(0 < block.num_steps < 2**63 for block in blocks):
        return "a measured block has no steps, or more than can be"
    return _change(blocks)


def _change(blocks: Sequence[Reading]) -> str:
    """A component, or our own counter of it, that only some blocks have: a rate over blocks with
    it says nothing of blocks without."""
    for name in ("gpu_kwh", "cpu_kwh", "ram_kwh"):
        component = name.removesuffix("_kwh").upper()
        for meter, energies in (
            (component, [preferred(block) for block in blocks]),
            (f"this suite's own counter of the {component}", [block.own for block in blocks]),
        ):
            read = sum(getattr(energy, name) is not None for energy in energies)
            if 0 < read < len(blocks):
                return f"{meter} was read in {read} of {len(blocks)} blocks only"
    return ""


def _overhead_kwh(overheads: Sequence[Overhead], name: str) -> list[float]:
    """Energy of each overhead of this name that was read, kWh."""
    energies = [overhead.energy.total_kwh for overhead in overheads if overhead.name == name]
    return [kwh for kwh in energies if kwh is not None]
