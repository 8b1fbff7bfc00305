"""What asks a program of the user's to end does so by an exception, which is not lost, so that its
run leaves a record."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from metering import stop_flag

_NUMBERS = (signal.SIGTERM, signal.SIGHUP)  # SIGHUP: the terminal was closed


@contextmanager
def ends_with_an_exception() -> Iterator[None]:
    """Inside, these signals raise `SystemExit(128 + number)`; a handler of the program's own stays,
    and so does that a signal is ignored (`nohup`)."""
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [
        number for number in _NUMBERS if is_main and signal.getsignal(number) is signal.SIG_DFL
    ]

    def on_signal(number: int, frame: object) -> None:
        leaving = SystemExit(128 + number)
        stop_flag.ask(leaving)  # the next step raises it too, where it is lost on its way
        raise leaving

    try:
        for number in numbers:
            signal.signal(number, on_signal)
        with _keeps_lost_interrupts():
            yield
    finally:
        stop_flag.clear()
        for number in numbers:
            if signal.getsignal(number) is on_signal:
                signal.signal(number, signal.SIG_DFL)


@contextmanager
def _keeps_lost_interrupts() -> Iterator[None]:
    """A Ctrl-C that Python drops, in a destructor or in what follows a loader's fork, is raised by
    the next step."""
    before = sys.unraisablehook

    def on_lost(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            stop_flag.ask(KeyboardInterrupt())
        else:
            before(lost)

    sys.unraisablehook = on_lost
    try:
        yield
    finally:
        if sys.unraisablehook is on_lost:
            sys.unraisablehook = before
