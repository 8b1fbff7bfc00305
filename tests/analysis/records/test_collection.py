"""A user's rows, those of the suite's own records and a bundle's stay apart, however alike."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.estimates.accounting import Costs
from analysis.estimates.merge import merge
from analysis.figures.figure5_6 import figure6
from analysis.figures.gather import measured_runs
from analysis.named_folders import load_named
from analysis.records.collection import OWN, SHIPPED, apart, collection_of
from analysis.records.load import load
from analysis.share.bundle import write_bundle
from analysis.tables.lines import Options
from analysis.tables.paper import all_tables
from metering.record import Record
from tests.analysis.sample_records import a_phase, a_record, put


def both(tmp_path: Path, *records: Record) -> pd.DataFrame:
    """A run of the user's, and one like it among the suite's own records, of each."""
    put(tmp_path / "runs", *records)
    put(tmp_path / "results" / "records", *(a_copy(record) for record in records))
    return load([tmp_path]).frame


def a_copy(record: Record) -> Record:
    """Measured again, at twice the energy."""
    train = a_phase(kwh_per_sample=2e-6, half_width=4e-8)
    return a_record(setup=record.setup, paper_row=record.paper_row, phases={"train": train})


@pytest.mark.parametrize("scale", ["full", "small"])
def test_like_runs_of_two_collections_are_two_rows_that_never_rank_together(
    tmp_path: Path, scale: str
) -> None:
    rows = merge(both(tmp_path, a_record(scale=scale)))
    assert {row.collection for row in rows} == {OWN, SHIPPED}
    assert all(row.train_rate and row.train_rate.num_records == 1 for row in rows)
    assert {row.train_rate.basis for row in rows if row.train_rate} == {"within this run"}
    assert len({row.comparison_key for row in rows}) == 2


def test_the_tables_have_a_line_for_each_and_the_paper_shaped_one_shows_the_users(
    tmp_path: Path,
) -> None:
    from analysis.tables.shape import nearest

    table = all_tables(both(tmp_path, a_record()), Options())["table3"]
    ours = table[table["model"] == "Swin-T"]
    assert dict(zip(ours["collection"], ours["measured_num_records"], strict=True)) == {
        OWN: 1,
        SHIPPED: 1,
    }
    [shown] = [one for one in nearest(table, 32) if one.row["model"] == "Swin-T"]
    assert (shown.row["collection"], shown.num_others) == (OWN, 1)


def test_no_cost_is_borrowed_from_another_collection(tmp_path: Path) -> None:
    put(tmp_path / "results/records", a_record(model="regnety_16gf", paper_row="RegNetY-16GF"))
    rows = merge(load([tmp_path]).frame)
    put(tmp_path / "runs", a_record())
    [mine] = merge(load([tmp_path / "runs"]).frame)
    [note] = [Costs([*rows, mine])._cost("RegNetY-16GF", mine, ())]
    assert note is not None and note.origin == "published"


def test_a_line_of_a_study_is_of_one_collection(tmp_path: Path) -> None:
    small = {"scale": "small"}
    runs = measured_runs(both(tmp_path, a_record(batch_size=8, **small), a_record(**small)))
    labels = [text.get_text() for text in figure6(runs).legends[0].get_texts()]
    assert labels == ["swin_t, RTX A6000 *", "swin_t, RTX A6000, shipped *"]


def test_a_bundle_is_a_collection_of_its_own(tmp_path: Path) -> None:
    put(tmp_path / "runs", a_record())
    write_bundle([a_record()], tmp_path / "theirs.jsonl")
    frame = load_named([str(tmp_path / "runs"), str(tmp_path / "theirs.jsonl")]).frame
    assert set(frame["collection"]) == {OWN, f"bundle {tmp_path}/theirs.jsonl"}
    assert len(merge(frame)) == 2


def test_where_a_record_lies_says_whose_it_is() -> None:
    assert collection_of("/a/results/records/small/x/record.json") == SHIPPED
    assert collection_of("/a/records/results/x/record.json") == OWN
    assert apart("key", OWN) == "key" != apart("key", SHIPPED)
