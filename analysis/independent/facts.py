"""Independent facts: energy, throughput, sensor errors and wall-meter fits that others published.

Each row names its source (`sources.csv`: address, licence, use) and where in it the number stands.
`scope` says whose energy was read: `gpu` (sum over the GPUs), `cpu+gpu+ram` (CodeCarbon's total)
or `wall` (an external meter). Numbers of different scopes are never put in one set.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from analysis.errors import AnalysisError

FOLDER = Path(__file__).parent
SCOPES = ("gpu", "cpu+gpu+ram", "wall")
USES = ("yes", "data-bound", "idle", "rank")
"""yes: the GPUs were at least 70 % busy; data-bound: 20 to 70 %; idle: under 20 %, near idle
power, not a network's energy; rank: not known, good for orders only."""
PHASES = ("train", "test")
_TEXT = ("row", "phase", "scope", "hardware", "framework", "precision", "use", "source", "locator",
         "note", "licence")  # fmt: skip


def sources() -> pd.DataFrame:
    """key, title, url, licence, use: what every `source` of the shipped tables means."""
    return _read("sources")


@cache
def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", keep_default_na=False, na_values=[""])


@cache
def energy() -> pd.DataFrame:
    """Energy of ImageNet training and testing, one row a network and setting. Do not write
    into it. `j_per_sample`: J per image; `licence`: of the source; `file`: empty."""
    frame = _read("energy")
    licences = sources().set_index("key")["licence"]
    frame = frame.assign(licence=frame["source"].map(licences))
    return checked(frame, "independent/energy.csv").assign(file="")


def throughput() -> pd.DataFrame:
    """Images per second at the row's own input size, on synthetic tensors: a bound on speed."""
    return _read("throughput")


def throughput_other_size() -> pd.DataFrame:
    """Images per second of networks at another input size than the row's own, `input_size`."""
    return _read("throughput_other_size")


def sensor_gain() -> pd.DataFrame:
    """Error of a board's power sensor against an external probe, %, one row a board and driver."""
    return _read("sensor_gain")


def wall_meter() -> pd.DataFrame:
    """Fits of wall power = factor x sensor power + offset, one row a load and session."""
    return _read("wall_meter")


def checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """`frame` with `j_per_sample`; its index counts the lines under the heading. Raises
    `AnalysisError` naming the first line that cannot be."""
    frame = frame.copy()
    for column in ("row", "hardware", "source", "licence"):
        require(frame, frame[column].notna(), f"{column} is empty", name)
    for column, choices in (("phase", PHASES), ("scope", SCOPES), ("use", USES)):
        problem = f"{column} is none of {', '.join(choices)}"
        require(frame, frame[column].isin(choices), problem, name)
    for column in ("num_samples", "energy_j"):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
        require(frame, frame[column] > 0, f"{column} is not a number above 0", name)
        require(frame, frame[column] < float("inf"), f"{column} is not finite", name)
    for column in _TEXT:
        frame[column] = frame[column].fillna("").astype(str)
    for column in ("batch_size", "duration_s", "num_gpus", "input_size", "gpu_util_pct"):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame.assign(j_per_sample=frame["energy_j"] / frame["num_samples"])


def require(frame: pd.DataFrame, good: pd.Series, fault: str, name: str) -> None:
    """Raises `AnalysisError` with the line of the first row that is not `good`."""
    if not good.all():
        at = frame.index[int((~good).to_numpy().argmax())]
        raise AnalysisError(f"{name}, line {at + 2} ({frame.loc[at, 'row']}): {fault}")
