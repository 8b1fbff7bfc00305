"""A run that is asked to end, wherever the signal finds it: one record, which says so and keeps
what was measured."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from codecarbon import OfflineEmissionsTracker
from torch.utils.data import DataLoader, IterableDataset

from metering import stop_flag
from metering.record import FILE_NAME, Record
from metering.record_file import read
from tasks.classification.session import ClassificationSession
from tasks.plan import Plan
from tasks.running.execute import execute
from tests.endurance import TINY

pytestmark = pytest.mark.trains

NUM_STEPS = 5
NUM_UNKEPT = 2  # tasks of CodeCarbon before anything runs: its first, and one that is timed


class Endless(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        while True:
            yield 0


def _leave(number: int, frame: object) -> None:
    leaving = SystemExit(128 + number)
    stop_flag.ask(leaving)
    raise leaving


@pytest.fixture
def plan(compose: Callable[..., Plan]) -> Plan:
    return compose(*TINY, "phases=train", f"meter.num_steps={NUM_STEPS}", "meter.block_s=0.001")


@pytest.fixture(autouse=True)
def leaves_on_sigterm() -> Iterator[None]:
    """SIGTERM raises SystemExit, and is not lost in a destructor, as in a SLURM job."""
    before = signal.signal(signal.SIGTERM, _leave)
    yield
    signal.signal(signal.SIGTERM, before)
    stop_flag.clear()


def left_by(plan: Plan, say: Callable[[Any], None] = lambda _: None) -> Record:
    with pytest.raises(SystemExit):
        execute(plan, say=say)
    record: Record = read(plan.folder / FILE_NAME)
    assert record.status == "interrupted", record.failure
    return record


@pytest.mark.parametrize("call", ["start_task", "stop_task"])
@pytest.mark.parametrize("number", range(1, 5))  # set-up, two blocks, the checkpoint
def test_a_signal_while_a_sensor_is_read_loses_no_reading_and_takes_none_twice(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    start, stop = OfflineEmissionsTracker.start_task, OfflineEmissionsTracker.stop_task
    num_calls = {"start_task": 0, "stop_task": 0}
    read_kwh: list[float] = []

    def count(name: str) -> None:
        num_calls[name] += 1
        if name == call and num_calls[name] == number + NUM_UNKEPT:
            os.kill(os.getpid(), signal.SIGTERM)

    def start_task(tracker: OfflineEmissionsTracker, name: str) -> None:
        count("start_task")
        start(tracker, name)

    def stop_task(tracker: OfflineEmissionsTracker) -> object:
        count("stop_task")
        answer = stop(tracker)
        read_kwh.append(answer.energy_consumed)
        return answer

    monkeypatch.setattr(OfflineEmissionsTracker, "start_task", start_task)
    monkeypatch.setattr(OfflineEmissionsTracker, "stop_task", stop_task)
    record = left_by(plan)

    kept = [overhead.energy.total_kwh for overhead in record.overheads]
    for phase in record.phases.values():
        kept += [reading.energy.total_kwh for reading in phase.readings]
    assert len(kept) >= number - (call == "start_task")
    assert sorted(kept) == pytest.approx(sorted(read_kwh[NUM_UNKEPT : NUM_UNKEPT + len(kept)]))


def test_a_worker_that_dies_of_the_same_signal_does_not_make_it_a_failure(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(session: ClassificationSession, window: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            raise RuntimeError("DataLoader worker (pid 7) exited unexpectedly with exit code 143")

    monkeypatch.setattr(ClassificationSession, "train", train)
    record = left_by(plan)
    assert record.failure is not None
    assert "SystemExit: 143" in record.failure.traceback


def test_a_worker_that_the_signal_ends_before_it_reaches_the_run_does_not_make_it_a_failure(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SLURM and `kill -- -GROUP` signal one process after the other."""

    def train(session: ClassificationSession, window: object) -> None:
        loader = iter(DataLoader(Endless(), num_workers=1, batch_size=None))
        (worker,) = loader._workers
        next(loader)  # it has begun
        one_by_one = f"kill {worker.pid}; sleep 0.3; kill {os.getpid()}"
        subprocess.Popen(["sh", "-c", one_by_one])
        for _ in loader:
            pass

    monkeypatch.setattr(ClassificationSession, "train", train)
    left_by(plan)


@pytest.mark.parametrize("moment", ["swallowed", "in its wake"])
def test_a_signal_that_an_error_overtakes_still_ends_the_run_with_its_record(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    from tasks.running import ending

    def train(session: ClassificationSession, window: object) -> None:
        if moment == "swallowed":
            with suppress(SystemExit):  # as a destructor or a callback does
                os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError("connection closed by peer")

    original = ending.classify

    def classify(*args: object) -> object:
        if moment == "in its wake":
            os.kill(os.getpid(), signal.SIGTERM)
        return original(*args)

    monkeypatch.setattr(ClassificationSession, "train", train)
    monkeypatch.setattr(ending, "classify", classify)
    record = left_by(plan)
    assert record.failure is not None
    assert record.failure.message == "connection closed by peer"


def test_a_signal_before_the_record_is_written_waits_until_it_is(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    import metering.host

    original = metering.host.host_facts

    def signalled() -> dict[str, object]:
        os.kill(os.getpid(), signal.SIGTERM)
        return original()

    monkeypatch.setattr(metering.host, "host_facts", signalled)
    with pytest.raises(SystemExit):
        execute(plan)
    record: Record = read(plan.folder / FILE_NAME)
    assert record.status == "finished"
    measured = [each for each in record.phases["train"].readings if each.use == "measured"]
    assert sum(reading.num_steps for reading in measured) == NUM_STEPS
