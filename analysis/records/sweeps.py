"""Which runs were measured together: of one sweep, on one machine.

A shared machine may be slower on another day, a room warmer, and another board's sensor has a gain
error of its own. Between two sweeps such a change cannot be told from a change of the set-up.
Within one it is in the spread of the runs, all the more where their order was shuffled.

A record says how many runs its sweep had, in which order, and its place among them, but not which
sweep it was. A sweep therefore ends where the machine was left alone for `PAUSE_S`, or where a
place comes a second time. Runs that were run by themselves, or by SLURM, are one sweep up to the
next pause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from metering.record import Record

PAUSE_S = 3600.0
COLUMN = "sweep"
_APART = ("collection", "machine")


@dataclass
class _Open:
    """A sweep that further runs may belong to. end_s: of its last run; places: of its runs."""

    number: int
    end_s: float
    places: set[int] = field(default_factory=set)


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
            position, *kind = place or (0,)
            key = (*apart, *kind)
            sweep = sweeps.get(key)
            if sweep is None or start_s - sweep.end_s > PAUSE_S or position in sweep.places:
                sweep = sweeps[key] = _Open(len(of_run), start_s)
            sweep.end_s = max(sweep.end_s, start_s, end_s)
            if position and status == "finished":
                sweep.places.add(position)
            of_run[name] = sweep.number
        numbers[at] = of_run[name]
    return frame.assign(**{COLUMN: numbers})


def place_of(record: Record) -> tuple[Any, ...] | None:
    """Of its sweep: its position, the number of runs and their order; None of a run that was run
    by itself."""
    sweep = record.sweep
    if sweep is None or sweep.num_runs < 2:
        return None
    return sweep.position, sweep.num_runs, sweep.order, sweep.order_seed
