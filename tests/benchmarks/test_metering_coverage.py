"""The table of the panel in a document."""

from __future__ import annotations

from benchmarks.metering_coverage import HEAD, with_table


def test_the_table_of_a_document_is_replaced_and_nothing_else():
    before = f"# A page\n\n{HEAD}\n| steady | 1 |\n| waves | 2 |\n\nWhat it says.\n"
    after = with_table(before, [*HEAD.splitlines(), "| steady | 3 |"])
    assert after == f"# A page\n\n{HEAD}\n| steady | 3 |\n\nWhat it says.\n"
