"""A signal to all of a job's processes may end a loader's worker before it reaches the run, which
then hears of its worker first."""

from __future__ import annotations

import time
from collections.abc import Collection

WITHIN_S = 2.0
_LOST = "DataLoader worker"
_OUT_OF_MEMORY = "Killed"  # by the kernel, which signals nobody else


def wait_for_own_signal(error: BaseException | None, arrived: Collection[object]) -> None:
    """Where `error` is PyTorch's word of a worker that was ended, give the signal that ended it
    time to arrive here as well. arrived: as `deferred_signals` yields it."""
    words = str(error)
    if _LOST not in words or _OUT_OF_MEMORY in words:
        return
    deadline = time.monotonic() + WITHIN_S
    while not arrived and time.monotonic() < deadline:
        time.sleep(0.02)
