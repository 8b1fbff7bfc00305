"""SIGTERM ends a program of the user's by an exception, so that its run leaves a record."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from metering import stop_flag


@contextmanager
def ends_with_an_exception() -> Iterator[None]:
    """Inside, SIGTERM raises `SystemExit(143)`; a handler of the program's own stays."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def on_signal(number: int, frame: object) -> None:
        leaving = SystemExit(128 + number)
        stop_flag.ask(leaving)  # the next step raises it too, where it is lost on its way
        raise leaving

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        stop_flag.clear()
        if signal.getsignal(signal.SIGTERM) is on_signal:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
