"""How many processes decode."""

from __future__ import annotations

import os

MAX_WORKERS = 8


def default_workers(num_ranks: int, on_gpu: bool) -> int:
    """Decoding processes per rank: the cores divided by the ranks; on a CPU run one less
    than half of them, since the training step uses the same cores."""
    cores = len(os.sched_getaffinity(0)) // num_ranks
    return max(1, min(MAX_WORKERS, cores if on_gpu else cores // 2))
