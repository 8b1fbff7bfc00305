"""What a switch saves: a network's set-up against the same set-up with one factor changed.

A set-up that differs from its group's reference (see `switched`) in several factors is a
combination.
Where the energy of the device that computes is modelled from time and load, no sensor has seen what
a switch saves: then the ratio of time is compared, and energy is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from analysis.estimates.measured import Measured, MeasuredRate
from analysis.estimates.ratio import fieller
from analysis.estimates.switched import AXIS, Group, differing, groups_of
from analysis.estimates.tiers import READ, sensor_tier
from metering.setup import SetUp, study_key

Verdict = Literal["saves", "costs more", "not shown", "not repeated"]
"""not repeated: nothing on that machine was measured twice, so nobody knows what another run of the
same set-up would change."""


@dataclass(frozen=True)
class Ratio:
    """Of a rate to the reference's, with its 95 % interval by Fieller; `nan` where a rate has no
    interval, or the ratio's has no end."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        if self.high < 1:
            return "saves"
        return "costs more" if self.low > 1 else "not shown"


@dataclass(frozen=True)
class Saving:
    """One set-up against its reference, in one phase.

    where: the device, and what else tells the group from others of this network on it. changed:
    factor -> (the reference's value, its own). energy: ratio of kWh per sample; None where no
    sensor read the device that computed. modelled_share: of the reference's electricity, 0..1, of
    components that no sensor read; None where it is not known. time: ratio of seconds per sample;
    None where a record has no pace. num_records: of the switched set-up and of the reference;
    is_repeated: whether the intervals hold how much runs of one set-up differ; flags: what the
    meter and the estimate say against a run of either set-up.
    """

    model: str
    phase: str
    where: str
    is_small: bool
    changed: Mapping[str, tuple[Any, Any]]
    energy: Ratio | None
    time: Ratio | None
    num_records: tuple[int, int]
    is_repeated: bool
    modelled_share: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def compared(self) -> Ratio | None:
        """What the verdict is about: energy, or time where energy is modelled from it."""
        return self.energy or self.time

    @property
    def verdict(self) -> Verdict:
        if not self.is_repeated:
            return "not repeated"
        return self.compared.verdict if self.compared else "not shown"

    @property
    def switch(self) -> str:
        """`batch_size 8 -> 16`, of each factor that was changed."""
        return ", ".join(
            f"{name} {_shown(before)} -> {_shown(after)}"
            for name, (before, after) in self.changed.items()
        )

    @property
    def is_combination(self) -> bool:
        return len(self.changed) > 1


def savings(rows: Iterable[Measured]) -> list[Saving]:
    """Every set-up against the reference of its group, the largest saving first within a model
    and phase. rows: as `merge` gives them."""
    compared = [one for group in groups_of(rows) for one in in_group(group)]
    return sorted(compared, key=_place)


@dataclass(frozen=True)
class Cheapest:
    """The largest saving that is shown, of a phase of a network's set-up; num_compared: of how many
    set-ups beside the reference, so that a reader knows how it was picked."""

    saving: Saving
    num_compared: int


def cheapest_shown(rows: Iterable[Measured], setup: SetUp) -> list[Cheapest]:
    """Of each phase, among the set-ups that are like `setup` but for the factors; none where no
    saving is shown. rows: as `merge` gives them."""
    alike = study_key(setup, AXIS)
    compared = savings(one for one in rows if study_key(one.setup, AXIS) == alike)
    found = []
    for phase in dict.fromkeys(one.phase for one in compared):
        of_phase = [one for one in compared if one.phase == phase]
        shown = [one for one in of_phase if one.verdict == "saves"]
        if shown:
            found.append(Cheapest(min(shown, key=_change), len(of_phase)))
    return found


def _change(saving: Saving) -> float:
    return saving.compared.value if saving.compared else math.inf


def _place(saving: Saving) -> tuple[str, str, str, bool, float]:
    return saving.model, saving.where, saving.phase, saving.is_combination, _change(saving)


def in_group(group: Group) -> list[Saving]:
    """Each set-up of a group against its reference."""
    return [one for row in group.others for one in against(group.reference, row, group.where)]


def against(reference: Measured, one: Measured, where: str) -> list[Saving]:
    """One set-up against the reference of its group, of each phase that both have. where: see
    `Saving`."""
    changed = differing(reference.setup, one.setup)
    return [
        Saving(
            model=one.setup.asked.model,
            phase=phase,
            where=where,
            is_small=one.setup.asked.scale == "small",
            changed=changed,
            energy=_energy(one, rate, reference, reference.rates[stage, phase]),
            modelled_share=reference.rates[stage, phase].modelled_share,
            flags=_flags(one, reference),
            time=_time(rate, reference.rates[stage, phase]),
            num_records=(rate.num_records, reference.rates[stage, phase].num_records),
            is_repeated=_is_repeated(rate) and _is_repeated(reference.rates[stage, phase]),
        )
        for (stage, phase), rate in one.rates.items()
        if (stage, phase) in reference.rates and changed
    ]


def _flags(*rows: Measured) -> tuple[str, ...]:
    """Without that nothing was repeated: the verdict says so."""
    notes = (note for row in rows for note in row.notes if "within this run" not in note)
    return tuple(dict.fromkeys(notes))


def _energy(
    one: Measured, rate: MeasuredRate, other: Measured, reference: MeasuredRate
) -> Ratio | None:
    if not (_is_read(one, rate) and _is_read(other, reference)):
        return None
    return _ratio(
        rate.kwh_per_sample, rate.half_width, reference.kwh_per_sample, reference.half_width
    )


def _time(one: MeasuredRate, reference: MeasuredRate) -> Ratio | None:
    if not one.s_per_sample or not reference.s_per_sample:
        return None
    return _ratio(
        one.s_per_sample, one.s_half_width, reference.s_per_sample, reference.s_half_width
    )


def _is_read(measured: Measured, rate: MeasuredRate) -> bool:
    """Whether a sensor read the device that computed: what another component's sensor saw, such
    as a GPU's that idled, is no electricity of the network."""
    sensors = dict(word.split(" ", 1) for word in rate.sensors.split(", ") if " " in word)
    phase = {f"{name.lower()}_sensor": how for name, how in sensors.items()}
    return sensor_tier(measured.setup, phase) in READ


def _is_repeated(rate: MeasuredRate) -> bool:
    return "between runs" in rate.basis


def _ratio(one: float, half_width: float | None, other: float, others: float | None) -> Ratio:
    interval = None
    if half_width is not None and others is not None:
        interval = fieller(one, half_width, other, others)
    low, high = interval or (math.nan, math.nan)
    return Ratio(one / other, low, high)


def as_written(value: Any) -> str:
    """As it is written in YAML."""
    if value is None:
        return "null"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    return "default" if value is None else as_written(value)
