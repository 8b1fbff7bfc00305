"""Records that ask for more than they show: no rank, no row of the paper, no carbon."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.records.load import load
from analysis.tables.paper import all_tables, table
from metering.record import ModelFacts, Record
from metering.record_host import EmissionFactor, Host
from tests.analysis.sample_records import a_phase, a_record, put


def table3(folder: Path, *records: Record) -> pd.DataFrame:
    return table(load([put(folder, *records)]).frame, "classification").set_index("model")


def test_two_equal_runs_with_equal_blocks_have_no_interval_and_no_rank(tmp_path: Path) -> None:
    exact = {"train": a_phase(half_width=0.0), "test": a_phase("test", 2.5e-7)}
    records = [
        a_record(phases=exact),
        a_record(phases=exact),
        a_record(model="resnet18", paper_row="ResNet18"),
        a_record(model="resnet50", paper_row="ResNet50"),
    ]
    rows = table3(tmp_path, *records)
    swin = rows.loc["Swin-T"]
    assert pd.isna(swin["measured_train_half_width"]) and pd.isna(swin["estimated_rank"])
    assert "no interval: what was read is alike to the last digit" in swin["footnotes"]["model"]
    assert rows.loc["ResNet18", "estimated_rank"] in (1.0, 2.0)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (ModelFacts(None, None, (3, 224, 224)), "does not say how many it has"),
        (ModelFacts(99.0, 4.5, (3, 224, 224)), "another network than the paper's Swin-T"),
    ],
)
def test_a_network_that_is_not_shown_to_be_the_papers_is_no_row_of_it(
    tmp_path: Path, facts: ModelFacts, words: str
) -> None:
    rows = table3(tmp_path, a_record(facts=facts))
    assert pd.isna(rows.loc["Swin-T", "estimated_train_kwh"])
    assert words in rows.loc["swin_t", "footnotes"]["model"]


def test_a_segmentation_network_is_checked_too(tmp_path: Path) -> None:
    record = a_record(
        task="segmentation",
        model="pspnet",
        paper_row="PSPNet (ResNet101)",
        data="cityscapes",
        facts=ModelFacts(12.0),
    )
    rows = table(load([put(tmp_path, record)]).frame, "segmentation").set_index("model")
    assert "another network than the paper's PSPNet" in rows.loc["pspnet", "footnotes"]["model"]


def test_a_size_that_no_record_says_is_not_the_recipes(tmp_path: Path) -> None:
    record = a_record(facts=ModelFacts(28.288, 4.491))
    assert set(all_tables(load([put(tmp_path, record)]).frame)["studies"]["tier"]) == {"small"}


def test_emissions_that_are_not_energy_times_factor_are_refused(tmp_path: Path) -> None:
    record = emitting(0.056, "FRA")
    host = Host(emissions=EmissionFactor("FRA", 0.112, 2023))
    [problem] = load([put(tmp_path, replace(record, host=host))]).problems
    assert "phases.train.emissions_kg_co2eq: " in problem.reason


def emitting(kg: float, country: str) -> Record:
    train = replace(a_phase(), emissions_kg_co2eq=kg * 3200e-6)
    host = Host(emissions=EmissionFactor(country, kg, 2023))
    return a_record(phases={"train": train}, host=host)


@pytest.mark.parametrize(
    ("kg", "words"), [(0.056, "56 g CO2eq a kWh, FRA"), (237.0, "is no supply's factor")]
)
def test_carbon_says_whose_electricity_it_counts(tmp_path: Path, kg: float, words: str) -> None:
    row = table3(tmp_path, emitting(kg, "FRA")).loc["Swin-T"]
    note = row["footnotes"]["estimated_train_kg_co2eq"]
    assert words in note
    assert pd.isna(row["estimated_train_kg_co2eq"]) == (kg > 1.5)
