"""What a run in another process says to its supervisor."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

from launchers.children import Child
from metering.progress import PhaseBegun, Progress
from metering.record import Overhead, Phase, PhaseRecord
from tasks.running.execute import Outcome


@dataclass(frozen=True)
class Ended:
    """The last word of a run: its outcome, or what it raised. details: of an `OSError`."""

    how: Literal["done", "refused", "interrupted", "raised"]
    outcome: Outcome | None = None
    message: str = ""
    details: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Measured:
    """`Progress` as it goes through a pipe; `record` is left out where the last one is new."""

    phase: Phase
    num_blocks: int
    warm: bool
    elapsed_s: float
    time_left_s: float
    record: PhaseRecord | None
    overheads: tuple[Overhead, ...]


class Reporter:
    """In a run: says all to the supervisor, and of each phase now and then what it has measured.
    That takes milliseconds between two blocks: at most `SHARE` of the time, and `PERIOD_S`.
    Interrupts the run where the supervisor has gone."""

    SHARE = 0.002
    PERIOD_S = 1.0

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._phase = ""
        self._due_s = 0.0

    def __call__(self, news: Any) -> None:
        try:
            self._tell(news)
        except ConnectionError:
            raise KeyboardInterrupt("the sweep was killed") from None

    def _tell(self, news: Any) -> None:
        if not isinstance(news, Progress):
            self._pipe.send(news)
            return
        record = self._record(news)
        self._pipe.send(
            Measured(
                news.phase,
                news.num_blocks,
                news.warm,
                news.elapsed_s,
                news.time_left_s,
                record,
                tuple(news.overheads),
            )
        )

    def _record(self, news: Progress) -> PhaseRecord | None:
        began_s = time.monotonic()
        if self._phase == news.phase and began_s < self._due_s:
            return None
        record = news.so_far()
        ended_s = time.monotonic()
        self._phase = news.phase
        self._due_s = ended_s + max(self.PERIOD_S, (ended_s - began_s) / self.SHARE)
        return record


@dataclass
class Reports:
    """In the supervisor: all that was said so far; the newest state of each phase."""

    phase: str = "set-up"
    phases: dict[Phase, PhaseRecord] = field(default_factory=dict)
    overheads: tuple[Overhead, ...] = ()
    end: Ended | None = None

    def hear(self, child: Child, say: Callable[[Any], None]) -> None:
        """Take the next thing that `child` says, and pass it on."""
        try:
            news = child.pipe.recv()
        except (EOFError, OSError, pickle.UnpicklingError):  # it ended, or died while it spoke
            child.is_silent = True
            return
        if isinstance(news, Ended):
            self.end = news
            return
        if isinstance(news, PhaseBegun):
            self.phase = news.phase
        if isinstance(news, Measured):
            news = self._take(news)
        say(news)

    def _take(self, news: Measured) -> Progress:
        self.phase = news.phase
        self.overheads = news.overheads
        if news.record is not None:
            self.phases[news.phase] = news.record
        record = self.phases[news.phase]
        return Progress(
            news.phase,
            news.num_blocks,
            news.warm,
            news.elapsed_s,
            news.time_left_s,
            lambda: record,
            news.overheads,
        )

    def hear_rest(self, child: Child, say: Callable[[Any], None]) -> None:
        """What a child that has ended had still to say."""
        while not child.is_silent and child.pipe.poll():
            self.hear(child, say)
