"""Do two series put the same things in the same order, and could so few have shown it?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
from scipy import stats

SAME_ORDER = 0.9
"""Spearman's rank correlation from which two orders are called the same."""
SURELY_SAME = 0.97
"""The correlation at which the power of a test against `SAME_ORDER` is given."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rank:
    """Spearman's rank correlation of n pairs, with its approximate 95 % interval (Fisher's z of
    the ranks; `nan` with three pairs or fewer)."""

    n: int
    rho: float
    low: float
    high: float

    @property
    def power(self) -> float:
        """The chance that n pairs whose true correlation is `SURELY_SAME` have an interval above
        `SAME_ORDER`."""
        if self.n <= 3:
            return 0.0
        apart = math.atanh(SURELY_SAME) - math.atanh(SAME_ORDER)
        beyond = apart * math.sqrt(self.n - 3) - stats.norm.ppf((1 + CONFIDENCE) / 2)
        return float(stats.norm.cdf(beyond))

    def __str__(self) -> str:
        return f"{self.rho:.2f} (n {self.n})"


def rank(
    first: pd.Series,
    second: pd.Series,
    one_each: Callable[[Iterable[str]], list[str]] | None = None,
) -> Rank:
    """Agreement of two series over the rows that both have, two at least. one_each: which of
    these rows stand for all (one a network)."""
    both = pd.concat([first, second], axis=1, join="inner").dropna()
    if one_each is not None:
        both = both.loc[one_each(both.index)]
    found = stats.pearsonr(stats.rankdata(both.iloc[:, 0]), stats.rankdata(both.iloc[:, 1]))
    low, high = math.nan, math.nan
    count = len(both)
    if count > 3:
        # where all agree Fisher's interval has no width: as if two neighbours changed places
        most = 1 - 12 / (count * (count**2 - 1))
        z = math.atanh(max(-most, min(most, float(found.statistic))))
        half_width = stats.norm.ppf((1 + CONFIDENCE) / 2) / math.sqrt(count - 3)
        low, high = math.tanh(z - half_width), math.tanh(z + half_width)
    return Rank(len(both), float(found.statistic), low, high)
