"""What arrives while a sensor library starts or stops waits until it has."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from types import FrameType

import pytest

from metering.deferred_signals import deferred_signals


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
