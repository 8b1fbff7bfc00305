"""A metered loop and others by turns: another loop runs between two of the window's blocks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import mean

from metering.meter import Meter
from metering.progress import Progress
from metering.window import Window


class Turns:
    """A metered window that lets another loop take a turn of as many steps after each block, each
    of `others` in its turn.

    No block is open then and no sensor's thread runs, so the other loop pays nothing of the meter,
    and ours pays what a run does: a turn is a block with all that its end and its start cost.
    """

    def __init__(
        self,
        meter: Meter,
        window: Window,
        others: Iterable[Callable[[int], object]],
        num_turns: int,
    ) -> None:
        self.window, self.others, self.num_turns = window, itertools.cycle(others), num_turns
        meter.say = self._block_ended  # told between two blocks
        self.mine_s: list[float] = []  # per step, of each turn
        self.unmetered_s: list[float] = []  # the same without what the block's end took
        self.others_s: list[float] = []
        self.ended_s: list[float] = []  # inside the meter, at each block's end
        self.counted_s = 0.0  # inside the meter, at all other steps
        self.metered_s = 0.0  # all of our turns
        self._num_steps = 0
        self._elsewhere_s = 0.0
        self._began_s = time.perf_counter()

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        """A step of ours; True when all turns are taken."""
        self._num_steps += 1
        num_blocks, num_steps, called_s = len(self.mine_s), self._num_steps, time.perf_counter()
        self._elsewhere_s = 0.0
        done = self.window.step(num_samples, data_wait_s)
        inside_s = time.perf_counter() - called_s - self._elsewhere_s
        if len(self.mine_s) > num_blocks:
            self.ended_s.append(inside_s)
            self.unmetered_s.append(self.mine_s[-1] - inside_s / num_steps)
        elif num_blocks:
            self.counted_s += inside_s
        return done or len(self.mine_s) == self.num_turns

    def _block_ended(self, news: Progress) -> None:
        ended_s = time.perf_counter()
        if news.warm:  # blocks are as long as they will be
            self.metered_s += ended_s - self._began_s
            self.mine_s.append((ended_s - self._began_s) / self._num_steps)
            if len(self.mine_s) < self.num_turns:
                began_s = time.perf_counter()
                next(self.others)(self._num_steps)
                self.others_s.append((time.perf_counter() - began_s) / self._num_steps)
        self._num_steps = 0
        self._began_s = time.perf_counter()
        self._elsewhere_s = self._began_s - ended_s


def ratios(mine_s: Sequence[float], others_s: Sequence[float]) -> list[float]:
    """Each of `others_s` over the mean of the turns of mine before and after it, so that a machine
    that drifts favours neither; above 1 where mine is quicker."""
    both = zip(itertools.pairwise(mine_s), others_s, strict=False)
    return [other_s / mean(neighbours_s) for neighbours_s, other_s in both]
