"""Blocks that were taken out of a window, or called something else, are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from analysis.share.finding import Finding
from analysis.share.record_checks import findings
from metering.record import PhaseRecord, Reading, Record
from tests.analysis.share.faults import with_train
from tests.analysis.share.sites import records

METER = {"mode": "adaptive", "least_s": 1e4}


@pytest.fixture(scope="module")
def record() -> Record:
    [made] = records(num_sites=1, num_each=1)
    train = {"train": made.phases["train"]}
    return replace(made, config={"meter": {"mode": "fixed"}}, phases=train)


def changed(record: Record, change: Callable[[list[Reading]], list[Reading]]) -> list[Finding]:
    def of_phase(phase: PhaseRecord) -> PhaseRecord:
        return replace(phase, readings=tuple(change(list(phase.readings))))

    return findings(with_train(record, of_phase))


def test_an_honest_window_has_nothing(record: Record) -> None:
    assert findings(record) == []


def test_a_dear_block_is_no_warm_up_after_measured_ones(record: Record) -> None:
    late = changed(record, lambda b: [*b[:-2], replace(b[-2], use="warm-up"), b[-1]])
    assert (
        Finding("wrong", "train: 1 blocks are called warm-up and come after measured ones") in late
    )
    dropped = changed(record, lambda b: [*b[:-2], replace(b[-2], use="dropped"), b[-1]])
    assert Finding("wrong", "train: 1 blocks are dropped without a reason") in dropped


def test_blocks_that_are_missing_leave_a_hole(record: Record) -> None:
    holes = changed(record, lambda b: [*b[:-4], *b[-2:]])
    assert any("between its blocks are in none of them" in one.reason for one in holes)
    own_loop = changed(replace(record, config={}), lambda b: [*b[:-4], *b[-2:]])
    assert not any("in none of them" in one.reason for one in own_loop)


def test_a_flag_of_a_short_window_that_is_no_longer_there(record: Record) -> None:
    short = replace(record, config={"meter": METER})
    [said] = [one for one in findings(short) if "no flag says so" in one.reason]
    assert said.weight == "doubtful" and "less than meter.least_s=10000" in said.reason
    flagged = with_train(
        short,
        lambda p: replace(p, flags=("9 s were measured, less than meter.least_s=10000: ...",)),
    )
    assert not any("no flag says so" in one.reason for one in findings(flagged))


def test_another_board_or_limit_than_the_boards_own_is_named(record: Record) -> None:
    assert record.setup.found is not None
    found = replace(record.setup.found, device="NVIDIA A1")
    other = replace(record, setup=replace(record.setup, found=found))
    assert any("NVIDIA A1 is said to be metered" in one.reason for one in findings(other))
