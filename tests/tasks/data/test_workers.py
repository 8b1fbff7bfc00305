"""Decoding processes end with their run."""

from __future__ import annotations

import multiprocessing
import signal
import time
from typing import Any

from torch.utils.data import DataLoader, Dataset

from tasks.data.workers import workers_end


class Stuck(Dataset[int]):
    """Decoding that never comes back, but for the first samples."""

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> int:
        if index >= 6:
            time.sleep(600)
        return index


def test_workers_that_are_stuck_are_not_waited_for():
    loader: Any = DataLoader(Stuck(), batch_size=1, num_workers=6, persistent_workers=True)
    batches: Any = iter(loader)
    assert int(next(batches)) == 0
    handler = signal.getsignal(signal.SIGCHLD)
    assert len(multiprocessing.active_children()) == 6
    began_s = time.monotonic()
    with workers_end():
        batches = loader = None
    assert time.monotonic() - began_s < 10  # PyTorch alone waits 5 s for each of the six
    assert multiprocessing.active_children() == []
    assert signal.getsignal(signal.SIGCHLD) == handler
