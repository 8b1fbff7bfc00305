"""The table of the panel in a document."""

from __future__ import annotations

from benchmarks.metering_coverage import HEAD, with_table


def test_the_rows_of_a_document_are_replaced_and_nothing_else():
    before = f"# A page\n\n{HEAD}\n| steady | 1 |\n| waves of 7 s | 2 |\n\nWhat it says.\n"
    after = with_table(before, {"steady": "| steady | 3 |"})
    assert after == before.replace("| steady | 1 |", "| steady | 3 |")


def test_rows_of_other_columns_or_of_loads_that_are_gone_do_not_stay():
    other = "# A page\n\n| load | held |\n|---|---|\n| waves of 7 s | 2 |\n\nWhat it says.\n"
    after = f"# A page\n\n{HEAD}\n| steady | 3 |\n\nWhat it says.\n"
    assert with_table(other, {"steady": "| steady | 3 |"}) == after
    gone = f"# A page\n\n{HEAD}\n| no such load | 2 |\n\nWhat it says.\n"
    assert with_table(gone, {"steady": "| steady | 3 |"}) == after
