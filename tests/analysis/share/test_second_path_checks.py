"""Energies that were changed no longer fit the power that the boards told over the same blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.share.record_checks import findings
from metering.record import Reading, Record
from tests.analysis.share.faults import blocks, scaled, with_train
from tests.analysis.share.sites import records


def _watched(block: Reading) -> Reading:
    return replace(block, watched_kwh=block.own.gpu_kwh or block.energy.gpu_kwh)


@pytest.fixture(scope="module")
def record() -> Record:
    [made] = records(num_sites=1, num_each=1)
    return blocks(_watched)(made)


def said_of(record: Record) -> list[str]:
    return [one.reason for one in findings(record) if "integrated power" in one.reason]


def test_energies_that_were_all_made_smaller_are_named(record: Record) -> None:
    assert said_of(record) == []
    [reason] = said_of(with_train(record, lambda phase: scaled(phase, 0.7)))
    assert reason == "train: its GPU energy is 0.7 x the boards' integrated power, without a flag"


def test_what_the_meter_has_flagged_is_not_said_again(record: Record) -> None:
    flag = "the GPUs' energy counters differ by -30.0 % from their integrated power: one is wrong"
    flagged = with_train(record, lambda phase: replace(scaled(phase, 0.7), flags=(flag,)))
    assert said_of(flagged) == [f"train: flag: {flag}"]


def test_a_part_of_the_blocks_is_no_second_path(record: Record) -> None:
    part = with_train(
        record,
        lambda phase: replace(
            phase, readings=(replace(phase.readings[-1], watched_kwh=None), *phase.readings[:-1])
        ),
    )
    assert said_of(part) == []
