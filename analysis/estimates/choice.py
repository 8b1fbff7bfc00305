"""Which network to take: the Pareto front and the cheapest above an accuracy, both under
uncertainty, and from how many uses on the costlier training pays.

`rows`: one row a model, indexed by its name, of runs that compare: `accuracy_pct`, `num_tested`
(samples the accuracy is from), `kwh` and `kwh_half_width` (null: no interval is known).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimates.ratio import fieller
from analysis.records.confidence import Z_95

NUM_DRAWS = 4_000


def draws(
    rows: pd.DataFrame, num_draws: int = NUM_DRAWS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies (%) and electricities (kWh) that the intervals allow, (num_draws, models).

    Accuracy: binomial of its test set, models drawn apart; tested on the same images they differ
    by less, so the shares below are rather too even. Electricity: normal in its logarithm, its
    half-width a 95 % one; without a half-width it stands still.
    """
    generator = np.random.default_rng(seed)
    share = rows["accuracy_pct"].to_numpy(float) / 100
    num = rows["num_tested"].to_numpy(int)
    accuracy = 100 * generator.binomial(num, share, size=(num_draws, len(rows))) / num
    kwh = rows["kwh"].to_numpy(float)
    relative = (rows["kwh_half_width"].astype(float).fillna(0.0) / rows["kwh"]).to_numpy()
    spread = np.log1p(relative) / Z_95
    return accuracy, kwh * np.exp(generator.normal(0.0, 1.0, (num_draws, len(rows))) * spread)


def on_front(accuracy: np.ndarray, kwh: np.ndarray) -> np.ndarray:
    """True where no other model is at least as accurate for at most as much, and better in one
    of the two; arrays (..., models)."""
    better = (accuracy[..., None, :] >= accuracy[..., :, None]) & (
        kwh[..., None, :] <= kwh[..., :, None]
    )
    strictly = (accuracy[..., None, :] > accuracy[..., :, None]) | (
        kwh[..., None, :] < kwh[..., :, None]
    )
    return np.asarray(~(better & strictly).any(axis=-1))


def front(rows: pd.DataFrame, num_draws: int = NUM_DRAWS, seed: int = 0) -> pd.DataFrame:
    """`is_on_front` as the numbers stand, and `front_share`: in how many draws, 0..1."""
    accuracy, kwh = draws(rows, num_draws, seed)
    stands = on_front(rows["accuracy_pct"].to_numpy(float), rows["kwh"].to_numpy(float))
    share = on_front(accuracy, kwh).mean(axis=0)
    return pd.DataFrame({"is_on_front": stands, "front_share": share}, index=rows.index)


def cheapest(
    rows: pd.DataFrame, at_least_pct: float, num_draws: int = NUM_DRAWS, seed: int = 0
) -> pd.DataFrame:
    """`reaches`: accuracy of at least `at_least_pct` as the numbers stand; `reach_share` and
    `cheapest_share`: in how many draws it reaches that, and is the cheapest of those that do."""
    accuracy, kwh = draws(rows, num_draws, seed)
    reaches = accuracy >= at_least_pct
    cost = np.where(reaches, kwh, np.inf)
    is_first = (cost == cost.min(axis=1, keepdims=True)) & reaches
    return pd.DataFrame(
        {
            "reaches": rows["accuracy_pct"].to_numpy(float) >= at_least_pct,
            "reach_share": reaches.mean(axis=0),
            "cheapest_share": is_first.mean(axis=0),
        },
        index=rows.index,
    )


@dataclass(frozen=True)
class Model:
    """name; train_kwh; test_kwh_per_sample; half-widths, 0 where none is known."""

    name: str
    train_kwh: float
    test_kwh_per_sample: float
    train_half_width: float = 0.0
    test_half_width: float = 0.0


@dataclass(frozen=True)
class BreakEven:
    """cheaper_first: the model that is cheaper at few samples; num_samples: from where on the other
    is, `None`: never; interval: of num_samples, `None` where no number has one or it has no end."""

    cheaper_first: str
    other: str
    num_samples: float | None
    interval: tuple[float, float] | None = None


def break_even(one: Model, two: Model) -> BreakEven:
    """How many samples `one` and `two` must be used on until training + samples x testing is the
    same for both."""
    first, other = sorted((one, two), key=lambda model: model.train_kwh)
    costlier_training = other.train_kwh - first.train_kwh
    saving = first.test_kwh_per_sample - other.test_kwh_per_sample
    if saving <= 0:
        return BreakEven(first.name, other.name, None)
    spread = (
        math.hypot(first.train_half_width, other.train_half_width),
        math.hypot(first.test_half_width, other.test_half_width),
    )
    interval = fieller(costlier_training, spread[0], saving, spread[1]) if any(spread) else None
    return BreakEven(first.name, other.name, costlier_training / saving, interval)
