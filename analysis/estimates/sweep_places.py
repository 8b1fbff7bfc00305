"""Where in its sweep each run stood, read from its record again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.estimates.sweep_effect import PlacedRun
from analysis.records.sweeps import COLUMN, with_sweeps
from metering.record import RecordError
from metering.record_file import read


def placed_runs(frame: pd.DataFrame) -> list[PlacedRun]:
    """Finished runs of shuffled sweeps, one a phase with a rate. frame: what `load` gives."""
    wanted = frame[
        (frame["status"] == "finished")
        & (frame["kind"] == "record")
        & frame["kwh_per_sample"].notna()
    ]
    runs: list[PlacedRun] = []
    for row in with_sweeps(wanted).to_dict("records"):
        try:
            sweep = read(Path(row["path"])).sweep
        except (OSError, RecordError):
            continue  # a record inside a bundle has no file of its own
        if sweep is None or sweep.order != "shuffled" or sweep.num_runs < 2:
            continue
        place = (sweep.position - 1) / (sweep.num_runs - 1)
        setup = f"{row['merge_key']} {row['phase']} {row[COLUMN]}"
        runs.append(PlacedRun(setup, float(row["kwh_per_sample"]), place, sweep.temperature_c))
    return runs
