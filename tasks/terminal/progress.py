"""The progress line at the terminal: what is measured, the current interval, time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from metering.progress import Progress

PLAIN_PERIOD_S = 10.0


@contextmanager
def terminal_progress() -> Iterator[Callable[[Any], None]]:
    """Yields `say`: a live line on a terminal; in a log file one line about every 10 seconds."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status("starting") as status:
            yield lambda news: status.update(_line(news))
    else:
        yield _Plain()


class _Plain:
    """Writes a line when something new begins, else when the last one is old."""

    def __init__(self) -> None:
        self.written_at_s = -PLAIN_PERIOD_S

    def __call__(self, news: Any) -> None:
        now_s = time.monotonic()
        if not isinstance(news, Progress) or now_s - self.written_at_s >= PLAIN_PERIOD_S:
            self.written_at_s = now_s
            print(_line(news), file=sys.stderr, flush=True)


def _line(news: Any) -> str:
    """`news` is a sentence, or the meter's `Progress`."""
    if not isinstance(news, Progress):
        return str(news)
    energy = news.so_far().energy_kwh_per_sample
    spread = None if energy is None else energy.relative_half_width
    interval = f"± {100 * spread:.1f} %" if spread is not None else "no interval yet"
    state = "measuring" if news.warm else "warming up"
    return (
        f"{news.phase}: {state}, block {news.num_blocks}, {interval}, "
        f"at most {news.time_left_s:.0f} s left"
    )
