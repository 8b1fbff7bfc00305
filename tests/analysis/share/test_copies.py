"""A copy of another's record is named, whatever of it was changed; a continuation is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.share.check import check
from metering.record import Energy, Reading, Record
from tests.analysis.share.faults import blocks, gpu_times, scaled, with_train
from tests.analysis.share.sites import records
from tests.analysis.share.test_check import _put_bundle


@pytest.fixture(scope="module")
def ten() -> list[Record]:
    return records(num_sites=1, num_each=10)


def test_a_copy_under_another_id_is_named_though_its_energies_differ(
    ten: list[Record], tmp_path: Path
) -> None:
    copy = replace(with_train(ten[0], lambda p: scaled(p, 0.9)), run_id="f" * 32)
    checked = check([_put_bundle(tmp_path, *ten[:5], copy)])
    assert [one.verdict for one in checked[:5]] == ["believable"] * 5
    assert "a copy of" in str(checked[5])
    assert "record 1" in str(checked[5])


@pytest.mark.parametrize("changed", ["duration_s", "gpu"])
def test_a_copy_whose_times_or_energies_were_all_changed_by_one_factor_is_named(
    ten: list[Record], tmp_path: Path, changed: str
) -> None:
    def change(block: Reading) -> Reading:
        if changed == "gpu":  # and every time by its own: the energies still betray it
            return replace(block, duration_s=block.duration_s * (1 + block.started_at_s / 1e4))
        return gpu_times(0.7 + block.started_at_s / 1e3)(replace(
            block, duration_s=block.duration_s * 1.01))  # fmt: skip

    copy = replace(blocks(change)(ten[0]), run_id="f" * 32)
    checked = check([_put_bundle(tmp_path, *ten[:3], copy)])
    assert "a copy of" in str(checked[3])


def _short(record: Record, num_blocks: int) -> Record:
    readings = record.phases["train"].readings[: 2 + num_blocks]
    train = replace(record.phases["train"], readings=readings, energy_kwh_per_sample=None)
    return replace(record, phases={"train": train})


@pytest.mark.parametrize("num_blocks", [1, 3])
def test_a_copy_of_a_short_record_is_named(
    ten: list[Record], tmp_path: Path, num_blocks: int
) -> None:
    short = [_short(one, num_blocks) for one in ten[:4]]
    copy = replace(short[1], run_id="f" * 32, started_at="2026-01-01T00:00:01+00:00")
    checked = check([_put_bundle(tmp_path, *short, copy)])
    assert not any("a copy of" in str(one) for one in checked[:4])
    assert "record 2: the time and every energy of a block are the same" in str(checked[4])


def test_short_records_of_round_numbers_are_copies_only_of_the_same_start(
    ten: list[Record], tmp_path: Path
) -> None:
    round_ = blocks(lambda b: replace(b, duration_s=240.0, own=Energy(), energy=Energy(0.004)))
    one = _short(round_(ten[0]), 1)
    other = replace(one, run_id="e" * 32, started_at="2026-01-02T00:00:00+00:00")
    copy = replace(one, run_id="f" * 32)
    checked = check([_put_bundle(tmp_path, one, other, copy)])
    assert ["a copy of" in str(each) for each in checked] == [False, False, True]


def test_a_record_that_goes_on_from_another_is_no_copy(ten: list[Record], tmp_path: Path) -> None:
    first = ten[0]
    marked = blocks(lambda block: replace(block, attempt=first.run_id))(first)
    kept = replace(
        marked.phases["test"],
        readings=tuple(
            replace(block, attempt=first.run_id) for block in marked.phases["test"].readings
        ),
    )
    later = replace(marked, run_id="f" * 32, phases={"train": ten[4].phases["train"],
                                                     "test": kept})  # fmt: skip
    assert not any("copy" in str(one) for one in check([_put_bundle(tmp_path, first, later)]))
