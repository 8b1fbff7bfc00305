"""Cells as printed, footnotes numbered once, columns without a value left out."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.tables.grid import grid, number, title_of


def a_table(**more: list) -> pd.DataFrame:
    columns = {
        "dataset": ["SSv2", "K400", "SSv2"],
        "model": ["TSM", "TSM", "TRN"],
        "published_train_kwh": [107.361, 124.6118, 100.5],
        "measured_train_kwh_per_sample": [1e-6, float("nan"), 2e-6],
        "estimated_pareto": [True, None, False],
        "estimated_gqi": [float("nan")] * 3,
        "footnotes": [{"model": "a"}, {"published_train_kwh": "b", "model": "a"}, {}],
    }
    return pd.DataFrame(columns | more)


def test_a_column_without_a_value_is_left_out_and_a_note_of_it_goes_to_the_model():
    notes = [{"estimated_gqi": "no index"}, {}, {}]
    shown = grid("table3", a_table(footnotes=notes))
    assert shown.headings == [
        "Data set",
        "Model",
        "Train (kWh)",
        "Train (kWh/sample)",
        "Pareto front",
    ]
    assert shown.kinds == ["", "", "published", "measured", "estimated"]
    assert shown.cells[0][1] == ("TSM", [1])
    assert shown.footnotes == ["no index"]


def test_one_text_is_one_footnote_wherever_it_stands():
    shown = grid("table3", a_table())
    assert [cells[1][1] for cells in shown.cells] == [[1], [1], []]
    assert shown.cells[1][2] == ("124.6118", [2])
    assert shown.footnotes == ["a", "b"]


def test_truth_and_absence_are_words():
    assert [cells[4][0] for cells in grid("table3", a_table()).cells] == ["yes", "", "no"]


def test_table_2_has_a_column_a_model_and_a_block_a_data_set():
    shown = grid("table2", a_table())
    assert shown.headings == ["Data set", "Quantity", "Origin", "TSM", "TRN"]
    lines = {tuple(text for text, _ in cells[:3]): cells[3:] for cells in shown.cells}
    assert [text for text, _ in lines["SSv2", "Train (kWh)", "published"]] == ["107.361", "100.5"]
    assert [text for text, _ in lines["K400", "Train (kWh)", "published"]] == ["124.6118", ""]


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (124.6118, "published_train_kwh", "124.6118"),
        (384.3501, "estimated_train_kwh", "384.4"),
        (7.687, "estimated_train_kwh_half_width", "7.7"),
        (0.69342, "estimated_gqi", "0.693"),
        (12.3456, "diff_gqi_pct", "+12.3"),
        (32.0, "batch_size", "32"),
        (1.0e-6, "measured_train_kwh_per_sample", "1e-06"),
    ],
)
def test_numbers_have_the_digits_that_mean_something(value: float, column: str, text: str):
    assert number(value, column) == text


def test_titles_come_from_the_catalogue():
    assert title_of("table1") == ("Table 1. Semantic segmentation: electricity, mIoU and GQI")
    assert title_of("table3_diff").endswith("ours against the published")
    assert title_of("studies").startswith("Studies")
