"""The CPU threads of one run of a sweep are not those of the next."""

from __future__ import annotations

import torch

from tasks.running import device


def test_a_run_without_a_number_has_all_threads_after_one_that_named_it():
    all_threads = torch.get_num_threads()
    device._all_threads.cache_clear()  # as in a new process, whose first run names a number
    try:
        device.set_threads(all_threads + 1)
        assert torch.get_num_threads() == all_threads + 1
        device.set_threads(None)
        assert torch.get_num_threads() == all_threads
    finally:
        torch.set_num_threads(all_threads)
        device._all_threads.cache_clear()
