"""The best combination of switches: of each factor the value that saved most by itself.

Factors act together in ways that single changes do not tell, so a combination is a proposal until
it was measured as a set-up of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.estimates.measured import Measured
from analysis.estimates.savings import Saving, in_group
from analysis.estimates.switched import FACTORS, as_written, groups_of

KEYS = {
    "num_workers": "data.num_workers",
    "num_threads": "hardware.num_threads",
    "power_limit_w": "hardware.power_limit_w",
}
"""The key of a factor where it is not its own name."""


@dataclass(frozen=True)
class Combination:
    """Of each factor the value that saved most, all shown; saving: of all of them together, None
    where that was not measured; where: as a `Saving` has it."""

    phase: str
    values: Mapping[str, Any]
    saving: Saving | None
    reference: Measured
    where: str

    @property
    def model(self) -> str:
        return self.reference.setup.asked.model

    @property
    def overrides(self) -> str:
        """The values as they are written on the command line."""
        words = [f"{key}={as_written(value)}" for key, value in self.keys.items()]
        return " ".join(words)

    @property
    def keys(self) -> dict[str, Any]:
        """The values by the key that sets each."""
        keys = {KEYS.get(name, name): value for name, value in self.values.items()}
        if "power_limit_w" in self.values:
            keys["hardware.allow_power_limit"] = True
        return keys


def combinations(rows: Iterable[Measured]) -> list[Combination]:
    """The best combination of each group and phase in which a factor is shown to save. rows: as
    `merge` gives them."""
    best: list[Combination] = []
    for group in groups_of(rows):
        compared = in_group(group)
        for phase in dict.fromkeys(saving.phase for saving in compared):
            of_phase = [saving for saving in compared if saving.phase == phase]
            values = _best_values(of_phase)
            if values:
                whole = next((saving for saving in of_phase if _is_measured(saving, values)), None)
                best.append(Combination(phase, values, whole, group.reference, group.where))
    return best


def _best_values(compared: Sequence[Saving]) -> dict[str, Any]:
    """Of each factor the value that saves most, where it is shown to save."""
    best: dict[str, tuple[float, Any]] = {}
    for saving in compared:
        if saving.is_combination or saving.verdict != "saves" or saving.compared is None:
            continue
        ((factor, (_, value)),) = saving.changed.items()
        if factor not in best or saving.compared.value < best[factor][0]:
            best[factor] = saving.compared.value, value
    return {factor: best[factor][1] for factor in FACTORS if factor in best}


def _is_measured(saving: Saving, values: Mapping[str, Any]) -> bool:
    """Whether it is this combination, beside its reference."""
    changed = {factor: after for factor, (_, after) in saving.changed.items()}
    return changed == values and saving.num_sweeps > 0
