"""Which runs were measured together: of one sweep, on one machine.

A shared machine may be slower on another day, a room warmer, and another board's sensor has a gain
error of its own. Between two sweeps such a change cannot be told from a change of the set-up.
Within one it is in the spread of the runs, all the more where their order was shuffled.

A record names its sweep: the command that ran it. Where the machine was left alone for `PAUSE_S`,
what comes after is a sweep of its own, unless the order was shuffled and the command not started
again in between: then chance alone decided which run came before the pause.

An older record says how many runs its sweep had, in which order, and its place among them, but not
which sweep it was. Such a sweep ends with a pause, or where a place comes a second time. Runs by
themselves (of an older record, by SLURM too) are one sweep up to the next pause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from metering.record import Record

PAUSE_S = 3600.0
COLUMN = "sweep"
_APART = ("collection", "machine")


class Place(NamedTuple):
    """position: in the sweep, from 1; 0: by itself. sweep: what is equal for all its runs; start:
    of the command, `None` in an older record, which does not name its sweep."""

    position: int = 0
    sweep: tuple[Any, ...] = ()
    is_shuffled: bool = False
    start: str | None = None


@dataclass
class _Open:
    """A sweep that further runs may belong to. end_s, start: of its last run; places: of its
    runs."""

    number: int
    end_s: float
    start: str | None = None
    places: set[int] = field(default_factory=set)

    def goes_on(self, place: Place, start_s: float) -> bool:
        """With a run at `place` that began at `start_s`."""
        is_one_draw = place.is_shuffled and bool(place.start) and place.start == self.start
        if start_s - self.end_s > PAUSE_S and not is_one_draw:
            return False
        return place.start is not None or place.position not in self.places


_BY_ITSELF = Place()


def machine_of(record: Record) -> str:
    """The boards that were metered, else the name of the machine; empty where the record tells
    neither."""
    boards = sorted({gpu.uuid for gpu in record.host.gpus if gpu.uuid})
    return ", ".join(boards) or record.host.hostname or ""


def with_sweeps(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame`, as `load` gives it, with the number of each run's sweep in the column `sweep`: how
    many runs began before its first."""
    starts, ends = frame["started_s"].fillna(0.0), frame["ended_s"].fillna(0.0)
    # a log says when it ended, and for how long it ran
    starts = np.fmin(starts, (ends - frame["duration_s"]).where(ends > 0))
    names = list(zip(frame["path"], frame["run_id"], strict=True))  # a log may hold many runs
    columns = (frame[name].tolist() for name in ("status", "place", *_APART))
    runs = list(zip(starts.tolist(), ends.tolist(), names, *columns, strict=True))
    order = sorted(range(len(runs)), key=lambda at: runs[at][0])
    sweeps: dict[Any, _Open] = {}
    of_run: dict[Any, int] = {}
    numbers = [0] * len(runs)
    for at in order:
        start_s, end_s, name, status, place, *apart = runs[at]
        if name not in of_run:
            place = place or _BY_ITSELF
            key = (*apart, *place.sweep)
            sweep = sweeps.get(key)
            if sweep is None or not sweep.goes_on(place, start_s):
                sweep = sweeps[key] = _Open(len(of_run), start_s)
            sweep.end_s, sweep.start = max(sweep.end_s, start_s, end_s), place.start
            if place.position and status == "finished":
                sweep.places.add(place.position)
            of_run[name] = sweep.number
        numbers[at] = of_run[name]
    return frame.assign(**{COLUMN: numbers})


def place_of(record: Record) -> Place | None:
    """In its sweep; None of a run that was run by itself."""
    sweep = record.sweep
    if sweep is None or (sweep.id is None and sweep.num_runs < 2):
        return None
    is_shuffled = sweep.order == "shuffled"
    if sweep.id is not None:
        return Place(sweep.position, (sweep.id,), is_shuffled, sweep.started_at or "")
    return Place(sweep.position, (sweep.num_runs, sweep.order, sweep.order_seed), is_shuffled)
