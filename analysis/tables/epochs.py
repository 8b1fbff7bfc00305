"""Epochs of the recipe that an estimate uses, and of the one that the paper's total implies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.estimates.accounting import Accounting
from analysis.estimates.measured import Measured
from analysis.published import facts as published
from analysis.tables.numbers import plain
from metering.record import Stage

_TOLERANCE = 0.01
"""Of their ratio: the sources round numbers of samples and of short stages."""


@dataclass(frozen=True)
class Epochs:
    """Of all stages of the network's own, in epochs of the row's data set."""

    ours: float
    implied: float

    @property
    def differ(self) -> bool:
        return abs(self.ours / self.implied - 1) > _TOLERANCE

    def note(self, dataset: str) -> str:
        """Both numbers where they differ, else nothing."""
        if not self.differ:
            return ""
        return (
            f"our recipe has {plain(self.ours)} epochs of {dataset}, the paper's total implies "
            f"{plain(self.implied)} (--accounting paper uses these)"
        )


def epochs_of(measured: Measured, accounting: Accounting) -> Epochs | None:
    """`None` where a recipe, or a number in it, is not known."""
    recipe = published.paper_recipes().get((measured.paper_row or "", measured.dataset))
    samples = published.TRAIN_SAMPLES.get(measured.dataset)
    if recipe is None or not samples:
        return None
    implied = _samples(recipe.stages)
    ours = implied if accounting == "paper" else _samples(measured.recipe)
    return Epochs(ours / samples, implied / samples) if ours and implied else None


def _samples(recipe: Sequence[Stage]) -> float | None:
    total = 0.0
    for stage in recipe:
        if stage.row is None:
            if stage.num_samples is None or stage.num_epochs is None:
                return None
            total += stage.num_samples * stage.num_epochs * stage.share
    return total
