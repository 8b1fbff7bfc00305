"""The progress line at the terminal: which run of how many, what is measured, how much it needs so
far, and the time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from metering.progress import PhaseBegun, Progress, RunBegun

if TYPE_CHECKING:
    from tasks.plan import Plan

PLAIN_PERIOD_S = 60.0
J_PER_KWH = 3.6e6


class Pace:
    """How long the runs of a sweep take: what is left is guessed from those that have ended."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._durations_s: list[float] = []
        self._began_s = clock()

    def begin(self) -> None:
        self._began_s = self._clock()

    def end(self, reused: bool) -> None:
        """The run has ended; one that was measured earlier tells nothing of the others."""
        if not reused:
            self._durations_s.append(self._clock() - self._began_s)

    def left_s(self, num_runs_after: int, run_left_s: float) -> float | None:
        """Of the sweep; None before the first run has ended."""
        if not self._durations_s:
            return None
        mean_s = sum(self._durations_s) / len(self._durations_s)
        return run_left_s + num_runs_after * mean_s


@contextmanager
def terminal_progress(
    plan: Plan | None = None, pace: Pace | None = None
) -> Iterator[Callable[[Any], None]]:
    """Yields `say`: a live line on a terminal; in a log file a line for all that begins and one a
    minute."""
    line = Line(plan, pace or Pace())
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status("starting") as status:
            yield lambda news: status.update(Text(line.of(news)))  # a path may have brackets
    else:
        yield _Plain(line)


class _Plain:
    """Writes a line when something new begins, else when the last one is old."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.written_at_s = -PLAIN_PERIOD_S

    def __call__(self, news: Any) -> None:
        now_s = time.monotonic()
        text = self._line.of(news)
        if not isinstance(news, Progress) or now_s - self.written_at_s >= PLAIN_PERIOD_S:
            self.written_at_s = now_s
            print(text, file=sys.stderr, flush=True)


class Line:
    """Words for what is said of one run. plan: None where only what is said is known."""

    def __init__(self, plan: Plan | None, pace: Pace) -> None:
        self._plan, self._pace = plan, pace
        self._run: RunBegun | None = None

    def of(self, news: Any) -> str:
        """`news` is a sentence, or one of `metering.progress`."""
        if isinstance(news, RunBegun):
            self._run = news
            return str(news)
        if not isinstance(news, Progress):
            place = self._place() if isinstance(news, PhaseBegun) else ""
            return f"{place}{news}"
        state = "measuring" if news.warm else "warming up"
        model = f"{self._plan.model.name}: " if self._plan is not None else ""
        return (
            f"{self._place()}{model}{news.phase}: {state}, block {news.num_blocks}, "
            f"{energy_words(news)}{self._left(news)}"
        )

    def _place(self) -> str:
        return f"run {self._run.position} of {self._run.num_runs}, " if self._run else ""

    def _left(self, news: Progress) -> str:
        run_s = news.time_left_s + self._later_phases_s(news)
        words = f", at most {duration_words(run_s)} left"
        if self._run is None:
            return words
        sweep_s = self._pace.left_s(self._run.num_runs - self._run.position, run_s)
        return words + (
            f", about {duration_words(sweep_s)} of the sweep" if sweep_s is not None else ""
        )

    def _later_phases_s(self, news: Progress) -> float:
        """At most: as long as their budget, or as this phase where a number of steps is asked."""
        if self._plan is None or news.phase not in self._plan.phases:
            return 0.0
        num_later = len(self._plan.phases) - 1 - self._plan.phases.index(news.phase)
        budget_s = self._plan.meter.time_budget_s
        if self._plan.meter.mode != "adaptive":
            budget_s = min(budget_s, news.elapsed_s + news.time_left_s)
        return num_later * budget_s


def energy_words(news: Progress) -> str:
    """`0.3 J a sample (± 2.1 %)`."""
    energy = news.so_far().energy_kwh_per_sample
    if energy is None:
        return "no energy read yet"
    spread = energy.relative_half_width
    interval = f"± {100 * spread:.1f} %" if spread is not None else "no interval yet"
    return f"{J_PER_KWH * energy.mean:.3g} J a sample ({interval})"


def duration_words(seconds: float) -> str:
    """`42 s`, `12 min`, `3.2 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
