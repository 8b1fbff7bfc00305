"""Runs of a log in the working folder, and the Hydra folders below it: which belong together.

Hydra names a run's folder after its start (`outputs/2025-03-01/10-00-00`); CodeCarbon writes its
time stamp at the end, and the duration. Both are of one machine's clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from analysis.records.codecarbon.config_text import job_number
from analysis.records.codecarbon.quantities import has_zone, moment
from analysis.records.codecarbon.tasks import RunLog

SLACK_S = 60.0
"""Clocks and the second to which both are written."""
ROUNDING_S = 2.0
"""Of two time stamps in whole seconds."""
MAX_DELAY_S = 24 * 3600.0
"""From a job's start to its tracker's: reading data and building may take long."""
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[/\\_ T-]+(\d{2})[-.:](\d{2})[-.:](\d{2})")
_CLOCK = re.compile(r"\d{2}[-.:]\d{2}[-.:]\d{2}")


def by_time(runs: Sequence[RunLog], configs: Sequence[Path]) -> list[Path | None]:
    """For each run the config that its times fit; None where none does, or several do."""
    if len(configs) == len(runs) == 1:
        return [configs[0] if _fits(runs[0], configs[0]) else None]
    timed = [at for at in range(len(runs)) if _has_own_time(runs[at])]
    places = {config: place for config in configs if (place := _place(config)) is not None}
    if len(timed) == len(set(places.values())) == len(configs) == len(runs):
        order = sorted(timed, key=lambda at: runs[at].any.end_s or 0.0)
        pairs = dict(zip(order, sorted(configs, key=places.__getitem__), strict=True))
        if _one_by_one([runs[at] for at in order]) and all(
            _fits(runs[at], config) for at, config in pairs.items()
        ):
            return [pairs[at] for at in range(len(runs))]
    return [_latest(run, configs) if at in timed else None for at, run in enumerate(runs)]


def started_at(config: Path) -> float | None:
    """Seconds at which Hydra made this config's folder, by its name."""
    stamps = _STAMP.findall(config.parent.parent.as_posix())
    if not stamps:
        return None
    day, *clock = stamps[-1]
    return moment(f"{day}T{':'.join(clock)}")


def _has_own_time(run: RunLog) -> bool:
    """Whether its time is of the clock by which Hydra names folders: one with a zone may not be."""
    return run.any.end_s is not None and not has_zone(run.any.ended_at)


def _place(config: Path) -> tuple[float, int] | None:
    """Where its job stands among others: by the time of its folder and the number of the job in a
    sweep, as the folder's name or Hydra says it (a folder that is named after overrides sorts
    otherwise); None where neither is known."""
    begun, name = started_at(config), config.parent.parent.name
    if name.isdecimal():
        return begun or 0.0, int(name)
    if begun is not None and _CLOCK.search(name):
        return begun, 0
    number = job_number(config)
    return None if number is None else (begun or 0.0, number)


def _one_by_one(runs: Sequence[RunLog]) -> bool:
    """Whether each began when the one before had ended: jobs at once end in any order."""
    return all(
        (later.any.start_s or 0.0) >= (run.any.end_s or 0.0) - ROUNDING_S
        for run, later in pairwise(runs)
    )


def _fits(run: RunLog, config: Path) -> bool:
    begun, logged = started_at(config), run.any
    if begun is None or logged.end_s is None or logged.start_s is None or not _has_own_time(run):
        return True
    return begun <= logged.end_s + SLACK_S and logged.start_s - begun <= MAX_DELAY_S


def _latest(run: RunLog, configs: Sequence[Path]) -> Path | None:
    """The last job that began before the tracker did."""
    start = run.any.start_s
    if start is None:
        return None
    begun = [(at, config) for config in configs if (at := started_at(config)) is not None]
    fitting = [(at, config) for at, config in begun if 0 <= start + SLACK_S - at <= MAX_DELAY_S]
    if not fitting:
        return None
    latest = max(at for at, _ in fitting)
    best = [config for at, config in fitting if at == latest]
    return best[0] if len(best) == 1 else None
