"""What a study's lines are made of: which runs may stand on one, and what a training used up to
each of its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.records.collection import OWN
from analysis.records.sweeps import COLUMN, with_sweeps
from metering import catalogue
from metering.block import preferred
from metering.record_file import read
from metering.setup import MACHINE_FIELDS, DataSetUp, SetUp

AXES: dict[str, tuple[str, ...]] = {
    "fraction": ("data.fraction", "protocol"),
    "batch_size": ("batch_size",),
    "device": (
        *MACHINE_FIELDS,
        "sensors",
        "versions",
        "accelerator",
        "num_threads",
        "num_workers",
    ),
}
"""What an axis changes in a run's set-up: its own field, and what that determines. One epoch of a
share of the data is a number of steps of its own."""


@dataclass(frozen=True)
class Curve:
    """samples, kwh: up to the end of each block of a training, warm-up included, from 0;
    num_epoch_samples: of its share of the data; relative_half_width: of its rate's 95 % interval,
    `None` without one; sweep: its number among the runs that were loaded with it."""

    model: str
    setup: SetUp
    samples: np.ndarray
    kwh: np.ndarray
    num_epoch_samples: int
    relative_half_width: float | None
    collection: str = OWN
    sweep: int = 0

    @property
    def num_epochs(self) -> int:
        """Whole epochs that the blocks cover."""
        return int(self.samples[-1] // self.num_epoch_samples)

    def kwh_at(self, num_samples: np.ndarray | float) -> np.ndarray:
        """kWh up to `num_samples`, between the ends of the blocks nearest to it."""
        return np.interp(num_samples, self.samples, self.kwh)

    def kwh_by_epoch(self) -> np.ndarray:
        """kWh up to the end of each whole epoch."""
        return self.kwh_at(self.num_epoch_samples * np.arange(1, self.num_epochs + 1))


def curves(records: pd.DataFrame) -> list[Curve]:
    """Finished classification trainings of the network's own step that lasted an epoch of their
    data, oldest first. `records`: as `load` gives them; each record is read again."""
    records = with_sweeps(records)
    wanted = records[
        (records["status"] == "finished")
        & (records["kind"] == "record")
        & (records["task"] == "classification")
        & (records["phase"] == "train")
        & records["stage"].isin(["supervised", "finetune"])
        & (records["kwh_per_sample"].astype(float) > 0)
    ].sort_values("started_s", kind="stable")
    fitted = (_curve(row) for row in wanted.to_dict("records"))
    return [curve for curve in fitted if curve is not None and curve.num_epochs >= 1]


def _curve(row: dict) -> Curve | None:
    """None where the data's size is unknown or a block has no energy."""
    size = epoch_samples(row["setup"].asked.data)
    samples, kwh = [0], [0.0]
    for block in read(Path(row["path"])).phases["train"].readings:
        block_kwh = preferred(block).total_kwh
        if block_kwh is None:
            return None
        samples.append(samples[-1] + block.num_samples)
        kwh.append(kwh[-1] + block_kwh)
    if size is None:
        return None
    half_width = row["kwh_half_width"]
    relative = None
    if half_width > 0:  # one of no width is not known either
        relative = float(half_width / row["kwh_per_sample"])
    return Curve(
        row["model"],
        row["setup"],
        np.asarray(samples, float),
        np.asarray(kwh),
        size,
        relative,
        row["collection"],
        row[COLUMN],
    )


def epoch_samples(data: DataSetUp) -> int | None:
    """Training samples of one epoch of the run's share of its data set, `None` where unknown."""
    known = catalogue.data_set(data.name)
    size = data.num_train or (known.num_train if known and data.origin != "own" else None)
    return None if size is None else max(1, round(size * data.fraction))
