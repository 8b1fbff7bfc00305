"""What a run says while it measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metering.record import Overhead, Phase, PhaseRecord


@dataclass(frozen=True)
class RunBegun:
    """Said when a run of a sweep begins. position: from 1, in the order in which they are run."""

    model: str
    position: int
    num_runs: int

    def __str__(self) -> str:
        return f"run {self.position} of {self.num_runs}: {self.model}"


@dataclass(frozen=True)
class PhaseBegun:
    """Said once, when a phase begins."""

    model: str
    phase: Phase

    def __str__(self) -> str:
        return f"{self.model}: {self.phase}"


@dataclass(frozen=True)
class Progress:
    """Said at the end of each block.

    warm: blocks are as long as they will be. elapsed_s: since the window was opened. time_left_s:
    until it ends, at most. so_far: all that was measured in this phase until now, which takes some
    milliseconds to compute. overheads: what was metered outside of windows.
    """

    phase: Phase
    num_blocks: int
    warm: bool
    elapsed_s: float
    time_left_s: float
    so_far: Callable[[], PhaseRecord]
    overheads: Sequence[Overhead]
