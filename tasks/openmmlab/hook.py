"""The hook that counts the steps of an MMEngine Runner into a window."""

from __future__ import annotations

import time
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tasks.protocol import Window


class MeteringHook(Hook):
    """Counts the optimizer's steps of a training, and the iterations of a test, into the open
    window, and ends the loop when it is satisfied. Validation is no part of either.

    num_ranks: samples are those of all ranks; accumulation_steps: iterations of an optimizer's
    step (`optim_wrapper.accumulative_counts`). The wait for data is the time from the end of one
    iteration to the arrival of the next batch.
    """

    priority = "LOWEST"  # after everything else that belongs to the iteration

    def __init__(self, num_ranks: int, accumulation_steps: int = 1) -> None:
        self.num_ranks, self.accumulation_steps = num_ranks, accumulation_steps
        self.window: Window | None = None
        self.inputs_per_sample = 1
        self._asked_s = self._wait_s = 0.0
        self._begin_step()

    def counted(self, num_samples: int, data_wait_s: float) -> bool:
        """A step is done; True ends the loop."""
        if self.window is None or not self.window.step(num_samples, data_wait_s):
            return False
        self.window = None
        return True

    def _begin_step(self) -> None:
        self._num_passed = self._num_samples = 0
        self._waited_s = 0.0

    def _before_epoch(self, runner: Runner, mode: str = "train") -> None:
        self._asked_s = time.perf_counter()

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, mode: str = "train"
    ) -> None:
        self._wait_s = time.perf_counter() - self._asked_s

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
        mode: str = "train",
    ) -> None:
        if mode == "val":
            return
        if mode == "test":
            self.inputs_per_sample = len(data_batch["inputs"][0])
        self._num_passed += 1
        self._num_samples += len(data_batch["inputs"]) * self.num_ranks
        self._waited_s += self._wait_s
        if mode == "test" or self._num_passed == self.accumulation_steps:
            done = self._num_samples, self._waited_s
            self._begin_step()
            if self.counted(*done):
                if mode == "train":
                    runner.train_loop.stop_training = True
                else:
                    runner.test_loop.stop_testing = True
        self._asked_s = time.perf_counter()
