"""What a switch saves: a network's set-up against the same set-up with one factor changed.

A set-up that differs from its group's reference (see `switched`) in several factors is a
combination. Both are compared within each sweep (see `records.sweeps`) that measured both, and the
changes of several sweeps are averaged. Where no sweep has both, what changed from one sweep to the
other cannot be told from the switch: then the change is that of the two nearest sweeps, without an
interval and without a verdict.
Where the energy of the device that computes is modelled from time and load, no sensor has seen what
a switch saves: then the ratio of time is compared, and energy is not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from analysis.estimates import same_sweep
from analysis.estimates.measured import Measured
from analysis.estimates.rates import MeasuredRate
from analysis.estimates.ratio import Ratio, mean_of_pairs, ratio_of, weighted_mean
from analysis.estimates.switched import AXIS, Group, as_written, differing, groups_of
from analysis.estimates.tiers import READ, sensor_tier
from metering.setup import SetUp, study_key

Verdict = Literal["saves", "costs more", "not shown", "not repeated", "measured apart"]
"""not repeated: nothing on that machine was measured twice, so nobody knows what another run of the
same set-up would change. measured apart: no sweep on one machine has both set-ups."""


@dataclass(frozen=True)
class Saving:
    """One set-up against its reference, in one phase.

    where: the device, and what else tells the group from others of this network on it. changed:
    factor -> (the reference's value, its own). energy: ratio of kWh per sample; None where no
    sensor read the device that computed. modelled_share: of the reference's electricity, 0..1, of
    components that no sensor read; None where it is not known. time: ratio of seconds per sample;
    None where a record has no pace. num_records: of the switched set-up and of the reference,
    that were compared; num_sweeps: in which they were, 0 where no sweep has both;
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
    num_sweeps: int = 1
    modelled_share: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def compared(self) -> Ratio | None:
        """What the verdict is about: energy, or time where energy is modelled from it."""
        return self.energy or self.time

    @property
    def verdict(self) -> Verdict:
        if not self.num_sweeps:
            return "measured apart"
        if not self.is_repeated:
            return "not repeated"
        ratio = self.compared
        if ratio and ratio.high < 1:
            return "saves"
        return "costs more" if ratio and ratio.low > 1 else "not shown"

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
    compared = [saving for group in groups_of(rows) for saving in in_group(group)]
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
    compared = savings(row for row in rows if study_key(row.setup, AXIS) == alike)
    cheapest = []
    for phase in dict.fromkeys(saving.phase for saving in compared):
        of_phase = [saving for saving in compared if saving.phase == phase]
        shown = [saving for saving in of_phase if saving.verdict == "saves"]
        if shown:
            num_compared = sum(saving.num_sweeps > 0 for saving in of_phase)
            cheapest.append(Cheapest(min(shown, key=_change), num_compared))
    return cheapest


def _change(saving: Saving) -> float:
    return saving.compared.value if saving.compared else math.inf


def _place(saving: Saving) -> tuple[str, str, str, bool, float]:
    return saving.model, saving.where, saving.phase, saving.is_combination, _change(saving)


def in_group(group: Group) -> list[Saving]:
    """Each set-up of a group against its reference."""
    return [saving for row in group.others for saving in against(group.reference, row, group.where)]


def against(reference: Measured, row: Measured, where: str) -> list[Saving]:
    """One set-up against the reference of its group, of each phase that both have. where: see
    `Saving`."""
    changed = differing(reference.setup, row.setup)
    return [
        _saving(reference, row, key, changed, where)
        for key in row.rates
        if key in reference.rates and changed
    ]


def _saving(
    reference: Measured,
    row: Measured,
    key: tuple[str, str],
    changed: Mapping[str, tuple[Any, Any]],
    where: str,
) -> Saving:
    """Of one stage and phase, `key`."""
    in_sweeps = same_sweep.common(row, reference, key)
    pairs = in_sweeps or [_nearest(row, reference, key)]
    is_repeated = all(_is_repeated(rate) for pair in pairs for rate in pair)
    merged = weighted_mean if is_repeated or len(pairs) == 1 else mean_of_pairs
    is_read = all(_is_read(row, rate) and _is_read(reference, other) for rate, other in pairs)
    energies = [_energy(*pair) for pair in pairs] if is_read else []
    times = [_time(*pair) for pair in pairs]
    energy = merged(energies) if energies else None
    time = merged([ratio for ratio in times if ratio]) if all(times) else None
    if not in_sweeps:
        energy, time = _without_interval(energy), _without_interval(time)
    return Saving(
        model=row.setup.asked.model,
        phase=key[1],
        where=where,
        is_small=row.setup.asked.scale == "small",
        changed=changed,
        energy=energy,
        time=time,
        num_records=(
            sum(rate.num_records for rate, _ in pairs),
            sum(other.num_records for _, other in pairs),
        ),
        is_repeated=is_repeated or len(pairs) > 1,
        num_sweeps=len(in_sweeps),
        modelled_share=reference.rates[key].modelled_share,
        flags=_flags(row, reference),
    )


def _nearest(
    one: Measured, other: Measured, key: tuple[str, str]
) -> tuple[MeasuredRate, MeasuredRate]:
    """Of two sweeps that have the fewest runs between them."""
    ours, theirs = same_sweep.in_sweeps(one, key), same_sweep.in_sweeps(other, key)
    sweeps = min(itertools.product(ours, theirs), key=lambda both: abs(both[0] - both[1]))
    return ours[sweeps[0]], theirs[sweeps[1]]


def _without_interval(ratio: Ratio | None) -> Ratio | None:
    return Ratio(ratio.value) if ratio else None


def _flags(*rows: Measured) -> tuple[str, ...]:
    """Without that nothing was repeated: the verdict says so."""
    notes = (note for row in rows for note in row.notes if "within this run" not in note)
    return tuple(dict.fromkeys(notes))


def _energy(rate: MeasuredRate, reference: MeasuredRate) -> Ratio:
    return ratio_of(
        rate.kwh_per_sample, rate.half_width, reference.kwh_per_sample, reference.half_width
    )


def _time(rate: MeasuredRate, reference: MeasuredRate) -> Ratio | None:
    if not rate.s_per_sample or not reference.s_per_sample:
        return None
    return ratio_of(
        rate.s_per_sample, rate.s_half_width, reference.s_per_sample, reference.s_half_width
    )


def _is_read(measured: Measured, rate: MeasuredRate) -> bool:
    """Whether a sensor read the device that computed: what another component's sensor saw, such
    as a GPU's that idled, is no electricity of the network."""
    sensors = dict(word.split(" ", 1) for word in rate.sensors.split(", ") if " " in word)
    phase = {f"{name.lower()}_sensor": how for name, how in sensors.items()}
    return sensor_tier(measured.setup, phase) in READ


def _is_repeated(rate: MeasuredRate) -> bool:
    return "between runs" in rate.basis


def _shown(value: Any) -> str:
    return "default" if value is None else as_written(value)
