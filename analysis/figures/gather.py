"""From published facts and loaded records to the three frames that figures are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.errors import utf8
from analysis.estimates.studies import epoch_samples
from analysis.figures.energy_per_image import energies_per_image
from analysis.figures.estimates import estimated
from analysis.figures.figure4 import PRINTED_TOTAL, STAGE_NAMES
from analysis.figures.frames import RUN_COLUMNS, STAGE_COLUMNS, Frames, gqi
from analysis.figures.independent_studies import independent_energies
from analysis.independent.own_file import with_files
from analysis.published import facts as published_facts
from analysis.published.facts import IMAGENET
from analysis.records import load
from analysis.records.describe import device_of
from metering.block import preferred
from metering.record_file import read
from metering.setup import SetUp

PUBLISHED_ON = "NVIDIA RTX A6000"
TABLE_3 = "Watt For What, Table 3"


@dataclass(frozen=True)
class Gathered:
    """records: as `load.load` gives them; problems: files left out; independent: files of a user's
    own with what others measured."""

    frames: Frames
    records: pd.DataFrame
    problems: tuple[load.Problem, ...]
    independent: tuple[str, ...] = ()


def gather(loaded: load.Loaded, independent: Sequence[str] = ()) -> Gathered:
    """The frames of everything that was loaded. independent: see `independent.own_file`.

    Raises `AnalysisError` for such a file that cannot be used.
    """
    made = frames(loaded.frame, with_files(independent))
    return Gathered(made, loaded.frame, loaded.problems, tuple(independent))


def frames(records: pd.DataFrame, energies: pd.DataFrame | None = None) -> Frames:
    """Everything the figures need. `records`: as `load.load` gives them; `energies`: as
    `independent.own_file.with_files` does, the shipped ones where none are given."""
    rows, stages = estimated(records)
    return Frames(
        rows=_joined(published_rows(), rows),
        runs=measured_runs(records),
        stages=_joined(published_stages(), stages),
        appliances=_with_titles(published_facts.appliances()),
        references=_with_titles(published_facts.references()),
        language_models=_with_titles(published_facts.language_models()),
        beside=energies_per_image(records, energies),
        others=independent_energies(energies),
    )


def _joined(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([first, second], ignore_index=True) if len(second) else first


def published_rows() -> pd.DataFrame:
    """Table 3 in `frames.ROW_COLUMNS`."""
    table = published_facts.wide(IMAGENET)
    return pd.DataFrame(
        {
            "model": table["model"],
            "kind": "published",
            "train_kwh": table["train_kwh"],
            "half_width_kwh": float("nan"),
            "accuracy_pct": table["top1_pct"],
            # the index from its definition: two printed values are illegible, the rest round up
            "gqi": gqi(table["top1_pct"], table["train_kwh"]),
            "test_kwh": table["test_kwh"],
            "hardware": PUBLISHED_ON,
            "set_up": "",
            "is_small": False,
            "source": TABLE_3,
            "group": "",
            "on_front": False,
        }
    )


def published_stages() -> pd.DataFrame:
    """The printed totals of self-supervised models, split by the recipe that reproduces them
    (an estimate), and their printed test electricity."""
    rows: list[tuple[str, str, str, float, str, bool]] = []
    rates = published_facts.implied_rates()
    for (model, dataset), recipe in published_facts.paper_recipes().items():
        if dataset != IMAGENET or not any(stage.name == "pretrain" for stage in recipe.stages):
            continue
        for stage in recipe.stages:
            rate = rates.get((model, dataset, stage.workload))
            if rate is None or stage.name not in STAGE_NAMES:
                continue
            num = (stage.num_samples or 0) * (stage.num_epochs or 0.0) * stage.share
            rows.append(
                (
                    model,
                    "estimated",
                    STAGE_NAMES[stage.name],
                    rate.kwh_per_sample * num,
                    PRINTED_TOTAL,
                    False,
                )
            )
        test_kwh = published_facts.value(model, dataset, "test_kwh")
        if test_kwh is not None:
            rows.append((model, "published", "inference", test_kwh, PRINTED_TOTAL, False))
    return pd.DataFrame(rows, columns=list(STAGE_COLUMNS))


def measured_runs(records: pd.DataFrame) -> pd.DataFrame:
    """One row per finished classification record and phase, in `frames.RUN_COLUMNS`, oldest first.

    Only supervised steps: another stage's step costs something else. The blocks of a train
    phase are read from its record again.
    """
    wanted = records[
        (records["status"] == "finished")
        & (records["task"] == "classification")
        & (records["kwh_per_sample"].astype(float) > 0)
        & records["stage"].isin(["supervised", "finetune"])
        & (records["kind"] == "record")
        & records["batch_size"].notna()  # of an imported log it may be unknown
    ].sort_values("started_s", kind="stable")
    rows = [_run(row) for row in wanted.to_dict("records")]
    runs = pd.DataFrame(rows, columns=list(RUN_COLUMNS))
    # of one collection alone no line needs to say whose it is
    return runs if runs["collection"].nunique() > 1 else runs.assign(collection="")


def _run(row: Mapping[Any, Any]) -> dict[str, Any]:
    setup: SetUp = row["setup"]
    curve = _curve(row["path"]) if row["phase"] == "train" else None
    samples, kwh = curve or ((), ())
    return {
        "model": row["model"],
        "phase": row["phase"],
        "device": device_of(setup),
        "batch_size": int(row["batch_size"]),
        "precision": row["precision"],
        "data": row["data"],
        "variant": row["variant"],
        "fraction": setup.asked.data.fraction,
        "num_epoch_samples": epoch_samples(setup.asked.data),
        "is_small": setup.asked.scale == "small",
        "kwh_per_sample": row["kwh_per_sample"],
        "half_width_kwh_per_sample": row["kwh_half_width"] or float("nan"),
        "gpu_kwh_per_sample": _gpu_kwh_per_sample(row),
        "curve_samples": samples,
        "curve_kwh": kwh,
        "record": utf8(row["path"]),
        "setup": setup,
        "collection": row["collection"],
    }


def _gpu_kwh_per_sample(row: Mapping[Any, Any]) -> float:
    """What the GPUs took of it; NaN where a run read none."""
    return float(row["gpu_kwh"] / row["num_samples"]) if row["num_samples"] else float("nan")


Curve = tuple[tuple[int, ...], tuple[float, ...]]


def _curve(path: str) -> Curve | None:
    """Samples and kWh up to the end of each block of the train phase, warm-up included: all of it
    was used. `None` when a block has no energy."""
    samples, kwh = [], []
    num_samples, total = 0, 0.0
    for block in read(Path(path)).phases["train"].readings:
        block_kwh = preferred(block).total_kwh
        if block_kwh is None:
            return None
        num_samples += block.num_samples
        total += block_kwh
        samples.append(num_samples)
        kwh.append(total)
    return tuple(samples), tuple(kwh)


def _with_titles(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with its source keys resolved to what they stand for."""
    sources = published_facts.sources().set_index("key")
    return table.assign(source=table["source"].map(sources["title"]))
