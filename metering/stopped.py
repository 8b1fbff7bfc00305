"""Whether this process was stopped and continued (SIGSTOP, Ctrl-Z, a suspended job): a block with
such a pause in it says nothing of the steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INSIDE = "the process was stopped and continued inside this block"
_times: list[int] = []


def count() -> int:
    """How often it was continued while it was watched."""
    return len(_times)


@contextmanager
def watched() -> Iterator[None]:
    """Inside, SIGCONT is counted; a handler of the program's own is left alone."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGCONT) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGCONT, lambda number, _: _times.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
