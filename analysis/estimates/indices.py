"""What one may rank models by: each index one function, and one line in `INDICES`.

An index takes accuracy (0..1) and electricity (kWh) of the models that are compared, and gives a
number a model, higher being better; `nan` where it is undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import unknown
from analysis.estimates.metrics import ALPHA, BETA

PER_KWH = {"kWh": 1.0, "Wh": 1e3, "MWh": 1e-3, "J": 3.6e6, "MJ": 3.6}
"""Units of electricity, and how many of each are a kWh."""
Function = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Index:
    """function: see the module; source: who defined it."""

    function: Function
    source: str


def gqi(
    accuracy: np.ndarray,
    kwh: np.ndarray,
    alpha: float = ALPHA,
    beta: float = BETA,
    unit: str = "kWh",
) -> np.ndarray:
    """beta x accuracy^alpha / log10(electricity in `unit`); undefined at or under one unit."""
    amount = np.where(kwh * PER_KWH[unit] > 1, kwh * PER_KWH[unit], np.nan)
    return np.asarray(beta * accuracy**alpha / np.log10(amount))


def accuracy_per_kwh(accuracy: np.ndarray, kwh: np.ndarray) -> np.ndarray:
    """Percentage points a kWh."""
    return np.asarray(100 * accuracy / kwh)


def pepr_e(accuracy: np.ndarray, kwh: np.ndarray) -> np.ndarray:
    """accuracy / (1 + R), R the electricity scaled to 0..1 over the models compared; undefined
    where all use the same. Adding a model changes the others' values."""
    low, high = np.nanmin(kwh), np.nanmax(kwh)
    scaled = (kwh - low) / (high - low) if high > low else np.full_like(kwh, np.nan)
    return np.asarray(accuracy / (1 + scaled))


_PAPER = "Watt For What, Eq. 1 and section A.5"
INDICES: dict[str, Index] = {
    "gqi": Index(gqi, _PAPER),
    "gqi_wh": Index(partial(gqi, unit="Wh"), f"{_PAPER}, electricity in Wh"),
    "gqi_j": Index(partial(gqi, unit="J"), f"{_PAPER}, electricity in J"),
    "gqi_alpha_1": Index(partial(gqi, alpha=1.0), f"{_PAPER}, alpha 1"),
    "accuracy_per_kwh": Index(accuracy_per_kwh, "the plain ratio; Watt For What, section 3"),
    "pepr_e": Index(pepr_e, "PePR with energy: Selvan et al. 2024, arXiv 2403.12562"),
    "accuracy": Index(lambda accuracy, kwh: accuracy, "accuracy alone"),
    "least_kwh": Index(lambda accuracy, kwh: -kwh, "electricity alone"),
}
"""What `python -m analysis ranks` knows by name."""


def chosen(names: list[str]) -> dict[str, Index]:
    """The indices of these names. Raises `AnalysisError`."""
    for name in names:
        if name not in INDICES:
            raise unknown("--index", name, INDICES)
    return {name: INDICES[name] for name in names}


def values(rows: pd.DataFrame, indices: Mapping[str, Index]) -> pd.DataFrame:
    """One column an index. `rows`: `accuracy_pct` (0..100) and `kwh`, one row a model, of runs
    that compare."""
    accuracy = rows["accuracy_pct"].to_numpy(float) / 100
    kwh = rows["kwh"].to_numpy(float)
    by_index = {name: index.function(accuracy, kwh) for name, index in indices.items()}
    return pd.DataFrame(by_index, index=rows.index)


def places(index_values: pd.DataFrame) -> pd.DataFrame:
    """Places by each index, 1 the best, ties sharing the better one; undefined stays null."""
    return index_values.rank(ascending=False, method="min")


def agreement(index_values: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau-b of every two indices over the models that both define."""
    names = list(index_values.columns)
    table = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            both = index_values[[first, second]].dropna()
            tau = stats.kendalltau(both[first], both[second]).statistic
            table.loc[first, second] = table.loc[second, first] = tau
    return table
