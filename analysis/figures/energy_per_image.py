"""What other people measured, the paper's numbers and ours, each with whose energy it is."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.estimates import wall
from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.figures.frames import BESIDE_COLUMNS
from analysis.independent.facts import PHASES
from analysis.independent.sets import energy_sets
from analysis.published import facts as published
from analysis.records.describe import device_of

J_PER_KWH = 3.6e6
COMPONENTS = ("gpu_sensor", "cpu_sensor", "ram_sensor")
Row = tuple[str, str, str, str, float, float | None, str]


def energies_per_image(records: pd.DataFrame, energies: pd.DataFrame | None = None) -> pd.DataFrame:
    """`frames.BESIDE_COLUMNS` of ImageNet-1k at the recipe's input size. `records`: as `load`
    gives them; `energies`: as `independent.own_file.with_files` does, the shipped ones alone where
    none are given. A GPU that idled is left out: its energy is not a network's."""
    rows = [*_independent(energies), *_published()]
    for row in merge(records):
        if row.task == "classification" and row.dataset == published.IMAGENET:
            rows += _measured(row) if row.tier != "small" else ()
    return pd.DataFrame(rows, columns=list(BESIDE_COLUMNS))


def _independent(energies: pd.DataFrame | None) -> Iterator[Row]:
    for independent in energy_sets(energies, uses=("yes", "data-bound", "rank")):
        for model, joules in independent.values.items():
            yield (
                str(model),
                independent.phase,
                "independent",
                independent.scope,
                float(joules),
                None,
                independent.name,
            )


def _published() -> Iterator[Row]:
    """The printed test electricity, CodeCarbon's total, an image."""
    table = published.wide(published.IMAGENET)
    num = published.TEST_SAMPLES[published.IMAGENET]
    for model, kwh in zip(table["model"], table["test_kwh"], strict=True):
        if pd.notna(kwh):
            joules = J_PER_KWH * kwh / num
            yield model, "test", "published", "cpu+gpu+ram", joules, None, "the paper, RTX A6000"


def _measured(row: Measured) -> Iterator[Row]:
    where = f"{device_of(row.setup)}, batch {row.setup.asked.batch_size or 'unknown'}"
    for phase in PHASES:
        rate = row.train_rate if phase == "train" else row.test_rate
        if rate is None:
            continue
        about = row.name, phase, "measured"
        if rate.gpu_kwh_per_sample is not None:
            # the interval is the total's; the GPU's own share of it is not known
            yield *about, "gpu", J_PER_KWH * rate.gpu_kwh_per_sample, None, where
        if "absent" not in rate.sensors and rate.gpu_kwh_per_sample is not None:
            half_width = None if rate.half_width is None else J_PER_KWH * rate.half_width
            yield *about, "cpu+gpu+ram", J_PER_KWH * rate.kwh_per_sample, half_width, where
        at_wall = wall.columns(row.wall_meter, rate, row.num_nodes).get(
            "measured_train_wall_kwh_per_sample"
        )
        if at_wall is not None and phase == "train":
            yield *about, "wall", J_PER_KWH * at_wall, None, where
