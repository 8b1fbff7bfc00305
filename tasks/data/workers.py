"""How many processes decode, and their end."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_WORKERS = 16


def default_workers(num_ranks: int, on_gpu: bool) -> int:
    """Decoding processes per rank: the cores divided by the ranks; on a CPU run one less
    than half of them, since the training step uses the same cores."""
    cores = len(os.sched_getaffinity(0)) // num_ranks
    return max(1, min(MAX_WORKERS, cores if on_gpu else cores // 2))


@contextmanager
def workers_end() -> Iterator[None]:
    """Let go of the loaders inside: their workers end at once. Nobody wants what they decode ahead,
    and PyTorch waits up to five seconds for each of them in turn, as soon as nobody refers to
    their loader (seen: 40 s after a video test)."""
    from torch.utils.data import _utils

    patience_s = _utils.MP_STATUS_CHECK_INTERVAL
    _utils.MP_STATUS_CHECK_INTERVAL = 0.01
    try:
        yield
        _end_workers()
    finally:
        _utils.MP_STATUS_CHECK_INTERVAL = patience_s


def _end_workers() -> None:
    """End those whose loader is only referred to by its own cycles, and collect it."""
    workers = [child for child in multiprocessing.active_children() if child.daemon]
    if not workers:
        gc.collect()
        return
    in_main = threading.current_thread() is threading.main_thread()
    # PyTorch's handler raises where a worker was killed
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL) if in_main else None
    try:
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
        gc.collect()
    finally:
        if in_main:
            signal.signal(signal.SIGCHLD, handler)
