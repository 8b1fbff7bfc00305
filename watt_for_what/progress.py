"""What a loop of the user's says while it is measured: on a terminal a live line, else a line when
a window opens, one a minute, and one when enough is measured. It goes to stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Protocol

from metering.progress import Progress
from tasks.terminal.progress import PLAIN_PERIOD_S, duration_words, energy_words

if TYPE_CHECKING:
    from rich.live import Live

    from metering.record import Phase

LIVE_PERIOD_S = 1.0
TIME_SHARE = 0.002  # of the loop's time: a long training has many blocks to add up
_GONE = (OSError, ValueError)  # stderr was closed


class LoopProgress:
    """What a run says. budget_s: how long a window is measured at most; None: to the loop's end.
    live: a live line, where stderr is a terminal."""

    def __init__(self, name: str, budget_s: float | None, live: bool = True) -> None:
        self._name, self._budget_s = name, budget_s
        self._line: Display = LiveLine() if live and _has_terminal() else PlainLines()
        self._begun: set[Phase] = set()
        self._began_s = time.monotonic()
        self._rests_until_s = 0.0

    def begin(self, phase: Phase) -> None:
        """A window opens; said of the first one of a phase."""
        if phase in self._begun:
            return
        self._begun.add(phase)
        length = (
            "to the end of the loop"
            if self._budget_s is None
            else f"for at most {duration_words(self._budget_s)}"
        )
        self._put(f"{self._name}: {phase}: measuring {length}")

    def __call__(self, news: Progress) -> None:
        """A block has ended. What it says is only worked out when it is shown."""
        began_s = time.monotonic()
        if began_s < self._rests_until_s or not self._line.is_due():
            return
        self._put(f"{self._name}: {self._words(news)}")
        ended_s = time.monotonic()
        self._rests_until_s = ended_s + (ended_s - began_s) / TIME_SHARE

    def enough(self, phase: Phase) -> None:
        """The window is measured; the user's loop may go on for hours."""
        self._put(f"{self._name}: {phase}: metering is over; the loop may end or go on")

    def close(self) -> None:
        with contextlib.suppress(*_GONE):
            self._line.close()

    def _put(self, text: str) -> None:
        """A closed pipe or terminal does not end the training."""
        with contextlib.suppress(*_GONE):
            self._line.put(text)

    def _words(self, news: Progress) -> str:
        if self._budget_s is None:
            state = f"{duration_words(time.monotonic() - self._began_s)} so far"
        else:
            state = f"at most {duration_words(news.time_left_s)} left"
        warm = "" if news.warm else "warming up, "
        return f"{news.phase}: {warm}block {news.num_blocks}, {energy_words(news)}, {state}"


class Display(Protocol):
    def is_due(self) -> bool: ...

    def put(self, text: str) -> None: ...

    def close(self) -> None: ...


class PlainLines:
    """A log file, a notebook, or a terminal that shows a progress bar of the user's."""

    _put_at_s = -PLAIN_PERIOD_S

    def is_due(self) -> bool:
        return time.monotonic() - self._put_at_s >= PLAIN_PERIOD_S

    def put(self, text: str) -> None:
        self._put_at_s = time.monotonic()
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class LiveLine:
    """The last line of a terminal. It has no thread of its own, whose energy would be counted.

    What the user prints goes above it, where it goes to the terminal at all."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._put_at_s = -LIVE_PERIOD_S
        self._plain = PlainLines()

    def is_due(self) -> bool:
        if _shows_bar():
            return self._plain.is_due()
        return time.monotonic() - self._put_at_s >= LIVE_PERIOD_S

    def put(self, text: str) -> None:
        from rich.text import Text

        if _shows_bar():
            self.close()
            self._plain.put(text)
            return
        self._put_at_s = time.monotonic()
        if self._live is None:
            self._live = _live_line()
            self._live.start()
        self._live.update(Text(text, overflow="ellipsis", no_wrap=True), refresh=True)

    def close(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()


def _live_line() -> Live:
    from rich.console import Console
    from rich.live import Live

    return Live(
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what goes to a file stays there
        redirect_stderr=False,
    )


def _has_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _shows_bar() -> bool:
    """Whether a progress bar of tqdm's is open (Trainer's, Lightning's, the user's own), which
    writes to the same line."""
    tqdm = sys.modules.get("tqdm.std")
    return bool(getattr(getattr(tqdm, "tqdm", None), "_instances", ()))
