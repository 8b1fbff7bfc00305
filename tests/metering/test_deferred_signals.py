"""What arrives while a sensor library starts or stops waits until it has."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from codecarbon import OfflineEmissionsTracker

from metering.deferred_signals import deferred_signals
from metering.meter import Meter
from metering.ranks import OneRank
from metering.settings import MeterSettings


class Arrived(Exception):
    pass


def _raise(number: int, frame: FrameType | None) -> None:
    raise Arrived(signal.Signals(number).name)


@pytest.fixture(params=[signal.SIGTERM, signal.SIGCHLD, signal.SIGTSTP], ids=lambda one: one.name)
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    number: signal.Signals = request.param
    before = signal.signal(number, _raise)
    yield number
    signal.signal(number, before)


def test_a_handler_that_raises_does_so_when_the_block_is_left(number: signal.Signals) -> None:
    went_on = []
    with pytest.raises(Arrived, match=number.name), deferred_signals(), deferred_signals():
        os.kill(os.getpid(), number)
        went_on.append(True)
    assert went_on
    assert signal.getsignal(number) is _raise


def test_only_signals_that_ask_to_end_are_told(number: signal.Signals) -> None:
    with pytest.raises(Arrived), deferred_signals() as arrived:
        os.kill(os.getpid(), number)
        assert [each for each, _ in arrived] == ([] if number == signal.SIGCHLD else [number])


def test_a_child_that_nobody_waits_for_disturbs_nothing() -> None:
    with deferred_signals() as arrived:
        subprocess.run(["true"], check=True)
    assert not arrived


def test_a_signal_while_the_handlers_are_given_back_leaves_none_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = signal.signal
    hangup, term = original(signal.SIGHUP, _raise), original(signal.SIGTERM, _raise)
    given_back: list[int] = []

    def interrupted(number: int, handler: object) -> object:
        answer = original(number, handler)  # type: ignore[arg-type]
        if number == signal.SIGTERM and handler is _raise and not given_back:
            given_back.append(number)
            os.kill(os.getpid(), number)
        return answer

    try:
        with pytest.raises(Arrived, match="SIGTERM"), deferred_signals():
            monkeypatch.setattr(signal, "signal", interrupted)
        assert signal.getsignal(signal.SIGHUP) is _raise
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        original(signal.SIGHUP, hangup)
        original(signal.SIGTERM, term)


def test_a_signal_while_the_sensors_start_waits_until_they_run_and_stops_them(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make, stop = OfflineEmissionsTracker.__init__, OfflineEmissionsTracker.stop
    made, stopped = [], []

    def made_while_signalled(tracker: OfflineEmissionsTracker, **settings: Any) -> None:
        os.kill(os.getpid(), number)
        make(tracker, **settings)
        made.append(tracker)

    def noted(tracker: OfflineEmissionsTracker) -> None:
        stopped.append(tracker)
        stop(tracker)

    monkeypatch.setattr(OfflineEmissionsTracker, "__init__", made_while_signalled)
    monkeypatch.setattr(OfflineEmissionsTracker, "stop", noted)
    with (
        pytest.raises(Arrived, match=number.name),
        Meter(MeterSettings(), folder=tmp_path, ranks=OneRank()),
    ):
        pass
    assert len(made) == 1 and made == stopped
