"""What the paper and the sources it builds on say, as tidy long tables with their origin.

Every row of `published/{classification,segmentation,action}.csv` is one fact: model, data
set, quantity, value, unit, source, locator, note. An illegible or absent cell is null and
its note says why. `recipes.csv` and `rates.csv` hold how the paper scaled its rows
(`accounting=paper`), solved from its own printed totals; `sources.csv` resolves every key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from metering import catalogue
from metering.record import Stage

FOLDER = Path(__file__).parent
FACT_FILES = ("classification", "segmentation", "action")
FACT_COLUMNS = ("model", "dataset", "quantity", "value", "unit", "source", "locator", "note")
UNITS = {
    "params_m": "M",
    "gmacs": "GMAC",
    "train_kwh": "kWh",
    "test_kwh": "kWh",
    "top1_pct": "%",
    "miou_pct": "%",
    "gqi": "",
    "params_m_built": "M",
    "gmacs_built": "GMAC",
    "image_size_px": "px",
    "source_epochs": "epochs",
    "source_pretrain_epochs": "epochs",
    "source_finetune_epochs": "epochs",
    "source_pretrain_images": "images",
}
_GMACS_NOTE = "The paper's GFLOPs are GMACs (multiply-accumulates)."
TABLE_NOTES = {
    "table1": (_GMACS_NOTE,),
    "table2": (_GMACS_NOTE,),
    "table3": (_GMACS_NOTE, "The paper rounds GQI up in this table."),
}
"""What a reader of each table's published columns should know."""
IMAGENET, CITYSCAPES, ADE20K, SSV2, K400 = map(
    catalogue.display_name, ("imagenet", "cityscapes", "ade20k", "sthv2", "kinetics400")
)
TRAIN_SAMPLES, TEST_SAMPLES = (
    {known.display_name: getattr(known, name) for known in catalogue.DATA_SETS if known.in_table}
    for name in ("num_train", "num_test")
)
"""Samples of the sets that the paper trains and tests on: images, or videos."""
IMAGENET_TRAIN_IMAGES: int = TRAIN_SAMPLES[IMAGENET]


class FactsError(ValueError):
    """A published table that contradicts itself; one line names file, row and cure."""


@dataclass(frozen=True)
class Rate:
    """Electricity of training on one sample, kWh, as implied by the paper's printed totals."""

    kwh_per_sample: float
    certainty: str
    note: str


@dataclass(frozen=True)
class PaperRecipe:
    """How the paper scaled one row: stages, and how sure that is."""

    stages: tuple[Stage, ...]
    certainty: str

    @property
    def is_weak(self) -> bool:
        """The printed total does not determine the number of epochs."""
        return self.certainty.startswith("weak")


@cache
def _read(name: str) -> pd.DataFrame:
    text = {"note": str, "unit": str, "locator": str, "certainty": str, "add_row": str, "url": str}
    text |= {"stage_dataset": str, "title": str, "key": str, "source": str, "basis": str}
    frame = pd.read_csv(FOLDER / f"{name}.csv", dtype=text)
    columns = [column for column in frame.columns if column in text]
    frame[columns] = frame[columns].fillna("")
    return frame


def sources() -> pd.DataFrame:
    """key, title, url, note: what every `source` of the other tables means."""
    return _read("sources")


@cache
def facts() -> pd.DataFrame:
    """All published facts, one per row (`FACT_COLUMNS`), validated. Do not write into it.

    Raises `FactsError` when a key does not resolve, a unit is not the quantity's, a fact is
    given twice, or a value cannot be.
    """
    frame = pd.concat([_read(name) for name in FACT_FILES], ignore_index=True)
    validate(frame, set(sources()["key"]))
    return frame


def validate(frame: pd.DataFrame, keys: set[str]) -> None:
    """Raises `FactsError` naming the first row that cannot be right."""

    def require(good: pd.Series, what: str) -> None:
        if not good.all():
            bad = frame[~good].iloc[0]
            raise FactsError(f"{bad['model']}, {bad['dataset']}, {bad['quantity']}: {what}")

    if tuple(frame.columns) != FACT_COLUMNS:
        raise FactsError(f"columns are {list(frame.columns)}; they must be {list(FACT_COLUMNS)}")
    if not pd.api.types.is_numeric_dtype(frame["value"]):
        raise FactsError("a value is not a number; leave an illegible one empty")
    require(frame["source"].isin(keys), "its source is not a key of sources.csv; add it there")
    require(frame["quantity"].isin(UNITS), "unknown quantity; add it to UNITS")
    require(frame["unit"] == frame["quantity"].map(UNITS), "its unit is not the quantity's")
    once = ~frame.duplicated(["model", "dataset", "quantity"])
    require(once, "given twice; keep one")
    absent = frame["value"].isna()
    require(~absent | (frame["note"] != ""), "null without a note that says why")
    require(absent | (frame["value"] > 0), "must be above 0")
    percent = frame["unit"] == "%"
    require(~percent | absent | (frame["value"] <= 100), "over 100 %")


def wide(*datasets: str) -> pd.DataFrame:
    """One row per model and data set in the paper's order, one column per quantity."""
    frame = facts()
    if datasets:
        frame = frame[frame["dataset"].isin(datasets)]
    order = frame[["model", "dataset"]].drop_duplicates()
    table = frame.pivot(index=["model", "dataset"], columns="quantity", values="value")
    return table.reindex(pd.MultiIndex.from_frame(order)).reset_index().rename_axis(columns=None)


def value(model: str, dataset: str, quantity: str) -> float | None:
    """One published value; None where the paper has none or it is illegible."""
    cell = _values().get((model, dataset, quantity))
    return None if cell is None or pd.isna(cell) else float(cell)


@cache
def _values() -> dict[tuple[str, str, str], float]:
    frame = facts()
    keys = zip(frame["model"], frame["dataset"], frame["quantity"], strict=True)
    return dict(zip(keys, frame["value"], strict=True))


@cache
def notes() -> dict[tuple[str, str], dict[str, str]]:
    """Footnotes on printed values: (model, dataset) -> {quantity: note}."""
    by_row: dict[tuple[str, str], dict[str, str]] = {}
    frame = facts()
    frame = frame[(frame["note"] != "") & (frame["source"] == "watt-for-what")]
    for row in frame.to_dict("records"):
        by_row.setdefault((row["model"], row["dataset"]), {})[row["quantity"]] = row["note"]
    return by_row


@cache
def paper_recipes() -> dict[tuple[str, str], PaperRecipe]:
    """(model, dataset) -> the recipe that reproduces the printed training electricity."""
    recipes: dict[tuple[str, str], PaperRecipe] = {}
    listed: dict[tuple[str, str], list[dict[Any, Any]]] = {}
    for row in _read("recipes").to_dict("records"):
        listed.setdefault((row["row"], row["dataset"]), []).append(row)
    for key, rows in listed.items():
        recipes[key] = PaperRecipe(tuple(_stage(row) for row in rows), rows[0]["certainty"])
    return recipes


def _stage(row: dict[Any, Any]) -> Stage:
    return Stage(
        name=row["stage"],
        workload=row["workload"],
        dataset=row["stage_dataset"],
        num_samples=None if pd.isna(row["num_samples"]) else int(row["num_samples"]),
        num_epochs=None if pd.isna(row["num_epochs"]) else float(row["num_epochs"]),
        row=row["add_row"] or None,
        share=float(row["share"]),
        note=row["note"],
    )


@cache
def implied_rates() -> dict[tuple[str, str, str], Rate]:
    """(model, dataset, workload) -> kWh per sample, implied by the paper's printed totals."""
    return {
        (row["row"], row["dataset"], row["workload"]): Rate(
            row["kwh"] / row["num_samples"], row["certainty"], row["note"]
        )
        for row in _read("rates").to_dict("records")
    }


def appliances() -> pd.DataFrame:
    """Household appliances: name, kwh_per_month, kwh_per_year, unit, basis, source, certainty."""
    return _read("appliances")


def references() -> pd.DataFrame:
    """Households and shops, in the same columns as `appliances`."""
    return _read("references")


def language_models() -> pd.DataFrame:
    """The two language models of the paper's introduction: name, train_kwh, unit, source,
    certainty."""
    return _read("language_models")
