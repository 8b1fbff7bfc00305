"""A column may be in one table and not in another: a name is unknown where no table has it."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.tables import select_over


def a_table(quality: str, models: list[str], **more: object) -> pd.DataFrame:
    columns = {
        "dataset": "set",
        "model": models,
        "hardware": "a6000",
        "tier": "counter",
        f"published_{quality}": [80.0, 70.0],
        "estimated_gqi": [0.5, 0.6],
        "footnotes": [{}, {}],
    }
    return pd.DataFrame(columns | more)


TABLES = {
    "own": a_table("nothing", ["a", "mine"]).drop(columns="estimated_gqi"),
    "table1": a_table("miou_pct", ["PSPNet", "SETR"]),
    "table3": a_table("top1_pct", ["Swin-T", "VGG16"], hardware=["v100", None]),
}


def models(tables: dict[str, pd.DataFrame]) -> dict[str, list[str]]:
    return {name: table["model"].tolist() for name, table in tables.items()}


def test_columns_of_several_tables_are_shown_where_they_are() -> None:
    found = select_over.only(TABLES, ["gqi", "published_miou_pct"])
    assert {name: list(table.columns)[3:-1] for name, table in found.items()} == {
        "table1": ["estimated_gqi", "published_miou_pct"],
        "table3": ["estimated_gqi"],
    }


def test_a_condition_keeps_the_tables_that_have_its_columns() -> None:
    assert models(select_over.where(TABLES, "published_top1_pct > 75")) == {"table3": ["Swin-T"]}
    assert models(select_over.where(TABLES, "hardware == v100"))["table3"] == ["Swin-T"]
    assert models(select_over.where(TABLES, "model == SETR and gqi > 0.1")) == {
        "table1": ["SETR"],
        "table3": [],
    }


def test_a_table_without_the_column_keeps_its_order() -> None:
    assert models(select_over.ordered(TABLES, "gqi")) == {
        "own": ["a", "mine"],
        "table1": ["SETR", "PSPNet"],
        "table3": ["VGG16", "Swin-T"],
    }


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("published_miou_pct > 1 and published_top1_pct > 1", "(published_miou_pct in table1, "),
        ("miou_pct > 1", "call it published_miou_pct"),
        ("miou > 1", "column 'miou' is unknown"),
        ("tier == counted", "tier 'counted' is unknown; did you mean counter"),
        ("tier == best", "known: counter, power, modelled, small"),
        ("hardware == v10", "hardware 'v10' is unknown; did you mean v100"),
        ("model == Swin", "model 'Swin' is unknown; did you mean Swin-T"),
        ("gqi > nan", "'nan' is not"),
        ("gqi > inf", "'inf' is not"),
    ],
)
def test_what_no_table_has_is_named(condition: str, words: str) -> None:
    with pytest.raises(AnalysisError) as error:
        select_over.where(TABLES, condition)
    assert words in str(error.value)


def test_an_unknown_column_is_named_with_those_of_every_table() -> None:
    with pytest.raises(AnalysisError, match="did you mean published_miou_pct"):
        select_over.only(TABLES, ["gqi", "published_miou"])
    with pytest.raises(AnalysisError, match="footnotes are no column"):
        select_over.ordered(TABLES, "footnotes")


def test_a_tier_that_no_row_has_is_known() -> None:
    assert all(table.empty for table in select_over.where(TABLES, "tier == power").values())
