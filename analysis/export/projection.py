"""A run's measured rate times its recipe, by the estimate that the tables print."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.estimates.accounting import Costs
from analysis.estimates.estimate import Estimate
from analysis.estimates.merge import merge
from analysis.export.report_facts import Projection
from metering.record import Record, Stage


@dataclass(frozen=True)
class Projector:
    """frame: every record that was loaded, of which other rows (a teacher, a backbone) may take
    their cost."""

    frame: pd.DataFrame
    costs: Costs

    @staticmethod
    def of(frame: pd.DataFrame) -> Projector:
        return Projector(frame, Costs(merge(frame)))

    def project(self, record: Record, path: str) -> tuple[Projection | None, tuple[str, ...]]:
        """The projection, or why there is none (a small study, another input size than the
        recipe's, no recipe). path: of the record, as in the frame."""
        own = merge(self.frame[self.frame["path"] == path])
        if not own:
            return None, ("it has no finished phase with a rate",)
        estimated = self.costs.estimate(own[0])
        if estimated.kwh is None:
            return None, estimated.missing
        return _projection(record, estimated), ()


def _projection(record: Record, estimated: Estimate) -> Projection:
    assert estimated.kwh is not None
    train = record.phases.get("train")
    pace = train.duration_s_per_sample if train else None
    own = [stage for stage in record.recipe if stage.row is None]
    samples = _samples(own) if len(own) == len(record.recipe) else None
    is_alone = len({stage.workload for stage in own}) == 1 and samples is not None
    devices = record.setup.asked.num_devices or 1
    hours = None
    if is_alone and pace is not None and samples is not None:
        hours = pace.mean * samples * devices / 3600
    epochs = [stage.num_epochs for stage in own if stage.num_epochs is not None]
    return Projection(
        kwh=estimated.kwh.value,
        half_width_kwh=estimated.kwh.half_width,
        device_hours=hours,
        train_samples=samples if is_alone else None,
        num_epochs=sum(epochs) if is_alone and epochs else None,
        notes=estimated.notes,
    )


def _samples(stages: list[Stage]) -> float | None:
    """Over all epochs; None where a stage does not say."""
    parts = [
        stage.num_samples * stage.num_epochs * stage.share
        for stage in stages
        if stage.num_samples is not None and stage.num_epochs is not None
    ]
    return sum(parts) if len(parts) == len(stages) else None
