"""Ctrl-C and SIGTERM end a run soon and cleanly, even where a library swallows the exception."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interruptible(say: Callable[[Any], None]) -> Iterator[Callable[[Any], None]]:
    """Yields `say`; both signals raise `KeyboardInterrupt` at once and, should that be lost in a
    destructor or a callback, again at the next thing said (the meter speaks at every block)."""
    asked = False

    def on_signal(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        raise KeyboardInterrupt(signal.Signals(number).name)

    def say_or_stop(news: Any) -> None:
        if asked:
            raise KeyboardInterrupt("asked to stop")
        say(news)

    if threading.current_thread() is not threading.main_thread():
        yield say
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield say_or_stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
