"""Ctrl-C, SIGTERM and SIGHUP (a terminal that was closed) end a run soon and cleanly, even where a
library swallows the exception."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from metering import stop_flag


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, these signals raise `KeyboardInterrupt` at once and set the stop flag, which windows
    look at between steps should the exception be lost in a destructor or a callback."""

    def on_signal(number: int, frame: object) -> None:
        leaving = KeyboardInterrupt(signal.Signals(number).name)
        stop_flag.ask(leaving)
        raise leaving

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stop_flag.clear()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup ignores it
        numbers.append(signal.SIGHUP)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        stop_flag.clear()
