"""The user's own runs, whatever their task: what a sample takes, how fast, and what it adds up to.

The records that come with the suite (`results/records`) are studies of their own: they are in no
row here, and no rate here is a mean over them and a user's.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.records.collection import SHIPPED
from analysis.tables.lines import KEY_COLUMNS, SETUP_COLUMNS, Line, Options, measured_line
from analysis.tables.paper import as_frame, tell_apart

OWN = "own"
J_PER_KWH = 3.6e6
WH_PER_1000_OF_KWH = 1e6
"""From kWh a sample to Wh per 1,000 samples."""
RATE_COLUMNS = (
    "measured_train_j_per_sample",
    "measured_train_j_half_width",
    "measured_train_samples_per_s",
    "measured_test_wh_per_1000",
    "measured_test_wh_half_width",
    "measured_test_samples_per_s",
)
COLUMNS = (
    "task",
    "dataset",
    "model",
    *SETUP_COLUMNS,
    *RATE_COLUMNS,
    "measured_train_interval",
    "measured_test_interval",
    "measured_num_records",
    "measured_sensors",
    "measured_accuracy_pct",
    "estimated_train_kwh",
    "estimated_train_kwh_half_width",
    "estimated_published_share_pct",
    "estimated_train_kg_co2eq",
    *KEY_COLUMNS,
)


def own_records(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `frame`, as `load` gives it, that did not come with the suite."""
    return frame[frame["collection"] != SHIPPED]


def own_table(frame: pd.DataFrame, options: Options) -> pd.DataFrame:
    """One row a set-up of the user's, empty without any."""
    return table_of(merge(own_records(frame)), options)


def table_of(merged: Sequence[Measured], options: Options) -> pd.DataFrame:
    """Columns `COLUMNS` of these rows, in their order."""
    costs = options.costs(list(merged))
    lines = [
        measured_line(
            Line({"model": measured.name, "dataset": measured.dataset}), measured, costs, options
        )
        for measured in merged
    ]
    tell_apart(lines)
    for line in lines:
        assert line.measured is not None
        line.values |= rates_of(line.measured)
        line.values["measured_accuracy_pct"] = line.measured.accuracy_pct
    return as_frame(lines, COLUMNS)


def rates_of(measured: Measured) -> dict[str, float | None]:
    """J a training sample, Wh per 1,000 inferences and samples a second, with half-widths."""
    values: dict[str, float | None] = {}
    train, test = measured.train_rate, measured.test_rate
    if train is not None:
        values |= {
            "measured_train_j_per_sample": J_PER_KWH * train.kwh_per_sample,
            "measured_train_j_half_width": _times(J_PER_KWH, train.half_width),
            "measured_train_samples_per_s": _pace(train.s_per_sample),
        }
    if test is not None:
        values |= {
            "measured_test_wh_per_1000": WH_PER_1000_OF_KWH * test.kwh_per_sample,
            "measured_test_wh_half_width": _times(WH_PER_1000_OF_KWH, test.half_width),
            "measured_test_samples_per_s": _pace(test.s_per_sample),
        }
    return values


def failures(frame: pd.DataFrame) -> list[str]:
    """Of each run of the user's without a row: where it lies, and why it has none. A part of a
    training whose last part was finished is in that one's row."""
    own = own_records(frame)
    lines = []
    finished = own[own["status"] == "finished"]
    is_added = own["training_id"].isin(finished["training_id"].dropna())
    without_row = own[(own["status"] != "finished") & ~is_added]
    for row in without_row.drop_duplicates("path").to_dict("records"):
        why = row["failure"] if isinstance(row["failure"], str) else "it has no result"
        used = " (`show` says what it used)" if row["num_samples"] > 0 else ""
        lines.append(f"{row['path']}: {row['status']}: {why.rstrip(': ')}{used}")
    for path in finished["path"].unique():
        of_run = finished[finished["path"] == path]
        if of_run["kwh_per_sample"].isna().all() and not of_run["num_samples"].any():
            lines.append(f"{path}: finished: no samples are known; `show` says what it used")
    return lines


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


def _pace(s_per_sample: float | None) -> float | None:
    return 1 / s_per_sample if s_per_sample else None
