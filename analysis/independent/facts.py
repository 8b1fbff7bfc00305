"""Independent facts: energy, throughput, sensor errors and wall-meter fits that others published.

Each row names its source (`sources.csv`: address, licence, use) and where in it the number stands.
`scope` says whose energy was read: `gpu` (sum over the GPUs), `cpu+gpu+ram` (CodeCarbon's total)
or `wall` (an external meter). Numbers of different scopes are never put in one set.
"""

from __future__ import annotations

from collections.abc import Sequence
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
NEEDED = ("row", "phase", "scope", "hardware", "num_samples", "energy_j", "source", "licence")
"""Columns that a user's own file must have; `OPTIONAL` may be there too."""
OPTIONAL = {
    "framework": "",
    "batch_size": float("nan"),
    "precision": "",
    "duration_s": float("nan"),
    "num_gpus": 1.0,
    "input_size": float("nan"),
    "gpu_util_pct": float("nan"),
    "use": "yes",
    "locator": "",
    "note": "",
}
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
    into it. `j_per_sample`: J per image; `licence`: of the source."""
    frame = _read("energy")
    licences = sources().set_index("key")["licence"]
    return checked(frame.assign(licence=frame["source"].map(licences)), "independent/energy.csv")


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


def with_files(paths: Sequence[str]) -> pd.DataFrame:
    """`energy()` and the rows of a user's own CSV files.

    Raises `AnalysisError` with one line that names the file, the row or column, and the cure.
    """
    frames = [energy(), *(read_file(path) for path in paths)]
    return pd.concat(frames, ignore_index=True) if paths else frames[0]


def read_file(path: str) -> pd.DataFrame:
    """A user's own file of independent energies: a CSV with the columns `NEEDED`.

    Raises `AnalysisError`.
    """
    if Path(path).exists() and not Path(path).is_file():  # opening a FIFO or a device may hang
        raise AnalysisError(f"--independent {path} is no regular file; give a CSV file in UTF-8")
    try:
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # a parser's and a decoder's error are ValueErrors
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise AnalysisError(f"--independent {path}: {reason}; give a CSV file in UTF-8") from None
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise AnalysisError(
            f"--independent {path}: no column '{missing[0]}'; it needs {', '.join(NEEDED)}"
        )
    for name, value in OPTIONAL.items():
        frame[name] = frame[name].fillna(value) if name in frame else value
    return checked(frame[[*NEEDED, *OPTIONAL]], f"--independent {path}")


def checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """`frame` with `j_per_sample`; raises `AnalysisError` naming the first row that cannot be."""
    frame = frame.copy()

    def require(good: pd.Series, what: str) -> None:
        if not good.all():
            at = int((~good).to_numpy().argmax())
            raise AnalysisError(f"{name}, line {at + 2} ({frame.iloc[at]['row']}): {what}")

    for column, choices in (("phase", PHASES), ("scope", SCOPES), ("use", USES)):
        require(frame[column].isin(choices), f"{column} is none of {', '.join(choices)}")
    for column in ("row", "hardware", "source", "licence"):
        require(frame[column].notna(), f"{column} is empty")
    for column in ("num_samples", "energy_j"):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
        require(frame[column] > 0, f"{column} is not a number above 0")
        require(frame[column] < float("inf"), f"{column} is not finite")
    for column in _TEXT:
        frame[column] = frame[column].fillna("").astype(str)
    for column in ("batch_size", "duration_s", "num_gpus", "input_size", "gpu_util_pct"):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame.assign(j_per_sample=frame["energy_j"] / frame["num_samples"])
