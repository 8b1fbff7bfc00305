"""What a run adds to a sweep, beside its blocks and its checkpoint write."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

from benchmarks.sweep_waste import checkpoint_s, gaps_s
from metering.record import Energy, Overhead, PhaseRecord, Reading, Record
from tasks.running.execute import empty_record

NOON = datetime.fromisoformat("2026-01-01T12:00:00+00:00")


def run(compose, began_s: float, ended_s: float, *overheads: Overhead) -> Record:
    """A run with two blocks of two seconds, so many seconds after noon."""
    began, ended = ((NOON + timedelta(seconds=s)).isoformat() for s in (began_s, ended_s))
    readings = tuple(Reading(n, 2.0, 1, 8, Energy()) for n in range(2))
    train = PhaseRecord("train", readings, {}, None, None, "num_steps", batch_size=8)
    return dataclasses.replace(
        empty_record(compose("model=resnet18"), "finished", began),
        ended_at=ended,
        phases={"train": train},
        overheads=overheads,
    )


def test_set_up_and_idle_power_are_a_gap_and_the_checkpoint_write_is_not(compose):
    first = run(compose, 0, 10)
    second = run(
        compose, 11, 20, Overhead("set-up", 2.0, Energy()), Overhead("checkpoint", 3.0, Energy())
    )
    assert gaps_s([first, second]) == pytest.approx([1 + 9 - 4 - 3])
    assert (checkpoint_s(first), checkpoint_s(second)) == (0.0, 3.0)
