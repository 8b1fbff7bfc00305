"""Runs of a log in the working folder, and the Hydra folders below it: which belong together.

Hydra names a run's folder after its start (`outputs/2025-03-01/10-00-00`); CodeCarbon writes its
time stamp at the end, and the duration. Both are of one machine's clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from analysis.records.codecarbon.quantities import moment
from analysis.records.codecarbon.tasks import RunLog

SLACK_S = 60.0
"""Clocks and the second to which both are written."""
MAX_DELAY_S = 24 * 3600.0
"""From a job's start to its tracker's: reading data and building may take long."""
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[/\\_ T-]+(\d{2})[-.:](\d{2})[-.:](\d{2})")


def by_time(runs: Sequence[RunLog], configs: Sequence[Path]) -> list[Path | None]:
    """For each run the config that its times fit; None where none does, or several do."""
    if len(runs) == len(configs):
        order = sorted(range(len(runs)), key=lambda at: runs[at].any.end_s or 0.0)
        pairs = dict(zip(order, sorted(configs, key=_order), strict=True))
        if all(_fits(runs[at], config) for at, config in pairs.items()):
            return [pairs[at] for at in range(len(runs))]
    return [_latest(run, configs) for run in runs]


def started_at(config: Path) -> float | None:
    """Seconds at which Hydra made this config's folder, by its name."""
    stamps = _STAMP.findall(config.parent.parent.as_posix())
    if not stamps:
        return None
    day, *clock = stamps[-1]
    return moment(f"{day}T{':'.join(clock)}")


def _order(config: Path) -> tuple[float, list[tuple[int, str]]]:
    """By time, then by the number of the job in a sweep, as numbers sort."""
    words = re.findall(r"\d+|\D+", config.parent.parent.name)
    return started_at(config) or 0.0, [
        (int(word), "") if word.isdigit() else (0, word) for word in words
    ]


def _fits(run: RunLog, config: Path) -> bool:
    begun, one = started_at(config), run.any
    if begun is None or one.end_s is None or one.start_s is None:
        return True
    return begun <= one.end_s + SLACK_S and one.start_s - begun <= MAX_DELAY_S


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
