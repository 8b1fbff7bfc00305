"""Signals wait while a sensor library starts or stops its threads: an exception thrown into the
middle of that leaves its locks held, and the process hangs when it should end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

# SIGUSR1 and SIGUSR2: a batch system warns with them before it ends a job, SIGTSTP: before it
# stops it
_ENDING = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
)
_CHILD = signal.SIGCHLD  # PyTorch's handler raises where a loader's worker died
# what has arrived in the block that is being run; at most one, of the main thread
_inside: list[list[tuple[int, FrameType | None]]] = []


@contextmanager
def deferred_signals() -> Iterator[list[tuple[int, FrameType | None]]]:
    """Signals that ask to end, and the word that a child process died, are handled when the block
    is left, where they arrive inside.

    Yields those that ask to end and have arrived so far, as number and frame.
    """
    if threading.current_thread() is not threading.main_thread():
        yield []
        return
    if _inside:  # the outermost handles them, and installing handlers takes its time
        yield _inside[0]
        return
    arrived: list[tuple[int, FrameType | None]] = []
    of_children: list[tuple[int, FrameType | None]] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if _inside:
            (of_children if number == _CHILD else arrived).append((number, frame))
        else:  # while the handlers are being exchanged
            _deliver(number, frame, before[number])

    before = {int(number): signal.getsignal(number) for number in (*_ENDING, _CHILD)}
    for only_handled in (signal.SIGTSTP, _CHILD):  # Ctrl-Z of a terminal's user, who wants it now
        if not callable(before[only_handled]):
            del before[only_handled]
    before = {number: at for number, at in before.items() if at != signal.SIG_IGN}  # nohup
    try:
        for number in before:
            signal.signal(number, handle)
        _inside.append(arrived)
        yield arrived
    finally:
        _inside.clear()
        try:
            _restore(before)
        finally:  # a signal that arrived meanwhile may have raised
            _restore(before)
            for number, frame in (*arrived, *of_children[:1]):
                _deliver(number, frame, before[number])


def _restore(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _deliver(number: int, frame: FrameType | None, handler: Any) -> None:
    if callable(handler):
        handler(number, frame)
    elif handler == signal.SIG_DFL:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
