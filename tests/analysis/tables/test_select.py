"""One name means one number in `--where`, `--sort` and `--columns`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.tables import select


def a_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dataset": "ImageNet-1k",
            "model": ["A", "B and C", "D", "E"],
            "hardware": ["a6000", None, "v100", "a6000"],
            "published_gqi": [0.9, 0.8, 0.7, 0.6],
            "published_train_kwh": [1.0, 2.0, 3.0, 4.0],
            "measured_samples_per_kwh": [10.0, np.nan, 30.0, 20.0],
            "measured_sensors": ["GPU counter", None, "GPU power", None],
            "estimated_gqi": [0.1, np.nan, 0.3, 0.2],
            "estimated_pareto": [True, None, False, True],
            "footnotes": [{"estimated_pareto": "note"}, {}, {}, {}],
        }
    )


def models(table: pd.DataFrame) -> list[str]:
    return table["model"].tolist()


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("gqi", "estimated_gqi"),
        ("samples_per_kwh", "measured_samples_per_kwh"),
        ("published_gqi", "published_gqi"),
        ("model", "model"),
    ],
)
def test_a_name_without_a_prefix_is_ours(name: str, means: str):
    assert select.column(a_table(), name) == means


def test_a_number_that_only_the_paper_has_is_not_meant_by_a_bare_name():
    with pytest.raises(AnalysisError, match="call it published_train_kwh"):
        select.column(a_table(), "train_kwh")


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("gqi > 0.15", ["D", "E"]),
        ("published_gqi >= 0.8", ["A", "B and C"]),
        ("gqi > 0.15 and published_gqi < 0.65", ["E"]),
        ("model == 'B and C'", ["B and C"]),
        ('model != "B and C" and hardware == a6000', ["A", "E"]),
        ("pareto == yes", ["A", "E"]),
        ("pareto != yes", ["D"]),
        ("hardware != a6000", ["D"]),
    ],
)
def test_where_keeps_the_rows_for_which_every_clause_holds(condition: str, kept: list[str]):
    assert models(select.where(a_table(), select.clauses(condition))) == kept


def test_sorting_by_an_interval_puts_the_narrowest_first():
    table = a_table().assign(estimated_gqi_half_width=[0.3, 0.1, 0.2, 0.4])
    widths = select.ordered(table, "gqi_half_width")["estimated_gqi_half_width"]
    assert list(widths) == [0.1, 0.2, 0.3, 0.4]


def test_sorting_puts_the_best_first_and_what_is_absent_last():
    assert models(select.ordered(a_table(), "gqi")) == ["D", "E", "A", "B and C"]
    assert models(select.ordered(a_table(), "-gqi")) == ["A", "E", "D", "B and C"]
    assert models(select.ordered(a_table(), "published_train_kwh")) == ["A", "B and C", "D", "E"]
    assert models(select.ordered(a_table(), "pareto")) == ["A", "E", "D", "B and C"]
    assert models(select.ordered(a_table(), "sensors"))[:2] == ["A", "D"]


def test_only_keeps_the_rows_identity_and_the_notes_of_what_is_shown():
    chosen = select.only(a_table(), ["gqi"])
    assert list(chosen.columns) == ["dataset", "model", "hardware", "estimated_gqi", "footnotes"]
    assert chosen["footnotes"][0] == {}
    assert select.only(a_table(), ["pareto"])["footnotes"][0] == {"estimated_pareto": "note"}


def test_hardware_keeps_published_rows():
    assert models(select.on_hardware(a_table(), ["v100"])) == ["B and C", "D"]


@pytest.mark.parametrize("name", ["footnotes", "gqqi"])
def test_an_unknown_column_is_one_line(name: str):
    with pytest.raises(AnalysisError) as error:
        select.ordered(a_table(), name)
    assert "\n" not in str(error.value)
