"""Beneath a table on the terminal: where the notes on its rows are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.analysis.sample_records import a_record, put


@pytest.mark.parametrize(
    ("formats", "where"), [("csv,md", "table3.md"), ("csv", "table3.csv, column footnotes")]
)
def test_beneath_a_table_with_rows_of_ours_is_told_where_their_notes_are(
    tmp_path: Path, capsys, formats: str, where: str
):
    kept = a_record(data="tensors", data_options={"kept_batches": 8})
    runs = put(tmp_path / "measured", kept)
    out = str(tmp_path / "-".join(["a-long-name"] * 12) / "out")  # is not broken at its hyphens
    assert main(["tables", str(runs), "--out", out, "--format", formats]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(rf"\d+ notes? on rows measured here (is|are) in \S+/{where}", said)
    assert "1 of 1 rows measured here: batches were kept on the device" in said
    assert said.count("measured here") == 2, "tables without a row of ours say nothing"
