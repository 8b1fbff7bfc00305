"""Runs of one sweep are those of one command on one machine, without a long pause."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from analysis.records.load import load
from analysis.records.sweeps import with_sweeps
from metering.record import Record, SweepPlace
from metering.record_host import Host, MeteredGpu
from tests.analysis.sample_records import a_failure, a_record, put

DAY = "2024-01-01"


def at(clock: str, place: SweepPlace | None = None, day: str = DAY, **more: Any) -> Record:
    """A run of five minutes."""
    hour, minute = clock.split(":")
    end = f"{day}T{hour}:{int(minute) + 5:02d}:00.000+00:00"
    return a_record(started_at=f"{day}T{clock}:00.000+00:00", ended_at=end, sweep=place, **more)


def numbers(folder: Path, *records: Record) -> list[int]:
    """Of each record, from 0 in the order of the first."""
    frame = with_sweeps(load([put(folder, *records)]).frame)
    of_run = dict(zip(frame["run_id"], frame["sweep"], strict=True))
    known = list(dict.fromkeys(of_run[one.run_id] for one in records))
    return [known.index(of_run[one.run_id]) for one in records]


def place(position: int, num_runs: int = 4, seed: int = 0) -> SweepPlace:
    return SweepPlace(position, num_runs, "shuffled", seed)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([at("10:00", place(1)), at("10:06", place(2))], [0, 0]),
        ([at("10:00", place(1)), at("10:06", place(2, num_runs=6))], [0, 1]),
        ([at("10:00", place(1)), at("10:06", place(2)), at("10:12", place(1))], [0, 0, 1]),
        ([at("10:00", place(1)), at("11:50", place(2))], [0, 1]),
        ([at("10:00", place(1)), at("10:00", place(2), day="2024-01-02")], [0, 1]),
        ([at("10:00"), at("10:06"), at("11:50")], [0, 0, 1]),
        ([at("10:00"), at("10:06", place(1))], [0, 1]),
    ],
    ids=[
        "one command",
        "two commands of unlike length",
        "a place that comes again",
        "a pause of an hour",
        "another day",
        "runs by themselves",
        "a run by itself and a sweep",
    ],
)
def test_a_sweep_is_one_command_without_a_long_pause(tmp_path, records, expected):
    assert numbers(tmp_path, *records) == expected


def named(
    position: int,
    sweep: str = "a",
    start: str = "10:00",
    order: Literal["given", "shuffled"] = "shuffled",
) -> SweepPlace:
    """A place in a sweep that the record names."""
    started_at = f"{DAY}T{start}:00.000+00:00"
    return SweepPlace(position, 4, order, id=sweep * 32, started_at=started_at)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([at("10:00", named(1)), at("10:06", named(1, "b"))], [0, 1]),
        ([at("10:00", named(1)), at("10:06", named(2, "b")), at("10:12", named(3))], [0, 1, 0]),
        ([at("10:00", named(1)), at("10:06", named(1))], [0, 0]),
        ([at("10:00", named(1)), at("10:30", named(2, start="10:29"))], [0, 0]),
        ([at("10:00", named(1)), at("15:00", named(2))], [0, 0]),
        ([at("10:00", named(1)), at("15:00", named(2, start="14:59"))], [0, 1]),
        ([at("10:00", named(1, order="given")), at("15:00", named(2, order="given"))], [0, 1]),
        ([at("10:00", place(1)), at("10:06", named(2)), at("10:12")], [0, 1, 2]),
    ],
    ids=[
        "two commands",
        "two commands by turns",
        "one of it again",
        "started again at once",
        "a pause in a shuffled order",
        "started again after hours",
        "a pause in the order given",
        "a sweep with a name, one without, and a run by itself",
    ],
)
def test_a_record_may_name_its_sweep(tmp_path, records, expected):
    assert numbers(tmp_path, *records) == expected


def test_what_lies_first_in_the_folder_need_not_be_first_in_time(tmp_path):
    late, early = at("11:50", place(3)), at("10:00", place(1))
    between = at("10:50", place(2))
    assert numbers(tmp_path, late, early, between) == [0, 0, 0]


def test_boards_are_machines_of_their_own(tmp_path):
    hosts = [Host(gpus=(MeteredGpu("NVIDIA A100", uuid=uuid),)) for uuid in ("GPU-1", "GPU-2")]
    records = [at("10:00", host=hosts[0]), at("10:06", host=hosts[1]), at("10:12", host=hosts[0])]
    assert numbers(tmp_path, *records) == [0, 1, 0]


def test_a_run_that_failed_is_run_again_in_its_sweep(tmp_path):
    failed = a_failure()
    when = {"started_at": f"{DAY}T10:06:00+00:00", "ended_at": f"{DAY}T10:07:00+00:00"}
    again = a_record(**when, sweep=place(2), status="failed", phases={}, failure=failed.failure)
    records = [at("10:00", place(1)), again, at("10:10", place(2))]
    assert numbers(tmp_path, *records) == [0, 0, 0]


def test_a_log_that_tells_its_end_alone_began_its_duration_before(tmp_path):
    records = at("10:00"), at("18:00")
    frame = load([put(tmp_path, *records)]).frame
    frame = frame.assign(started_s=frame["ended_s"])
    assert with_sweeps(frame)["sweep"].nunique() == 2
    assert with_sweeps(frame.assign(duration_s=7.5 * 3600))["sweep"].nunique() == 1
