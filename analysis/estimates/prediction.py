"""Electricity of a network that nobody measured, from what its shape says.

    log kWh = a + b log GMACs + c log activations + ...        (least squares)

The error is that of leaving out one family of networks at a time: a new network is of no family
that the fit has seen. The interval is the prediction times or divided by a quantile of the left-out
errors. Networks of one family err alike, so it is the families that are counted: each has the same
weight, shared by its networks, and the new one has that weight too, at infinity (hierarchical
conformal prediction: Lee, Barber and Willett 2023, "Distribution-free inference with hierarchical
data", arXiv 2306.06342; with errors of left-out families in place of a second sample, as in the
jackknife, so that the coverage is approximate). K families carry at most K / (K + 1). It holds as
far as the new family is one more like these.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

_FAMILIES = (  # the first that matches the name of the row; plain ViTs are one family
    (r"^(ViT|DeIT|BEiT|Clip)", "ViT"),
    (r"^EfficientFormer-v2", "EfficientFormer-v2"),
    (r"^EfficientFormer", "EfficientFormer"),
    (r"^EfficientNetv2", "EfficientNetv2"),
    (r"^EfficientNet", "EfficientNet"),
    (r"^Swin-v2", "Swin-v2"),
    (r"^Swin", "Swin"),
    (r"^ResNet", "ResNet"),
    (r"^MobileNet", "MobileNet"),
    (r"^VGG", "VGG"),
    (r"^DenseNet", "DenseNet"),
    (r"^ConvNeXt", "ConvNeXt"),
    (r"^DaViT", "DaViT"),
    (r"^RegNet", "RegNet"),
    (r"^Inception", "Inception"),
)
LEAST_FAMILIES = 5


def family_of(row: str) -> str:
    """The architecture of a row of Table 3; a row of no known family is its own."""
    return next((name for pattern, name in _FAMILIES if re.match(pattern, row)), row)


@dataclass(frozen=True)
class Predicted:
    """kwh and its interval at `confidence`."""

    kwh: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Fit:
    """families: of each network; log_errors: its |log(predicted / true)|, its family left out of
    the fit; ranges: the least and the most of each feature among them."""

    features: tuple[str, ...]
    families: tuple[str, ...]
    log_errors: np.ndarray
    relative_errors: np.ndarray
    model: Any
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def num_networks(self) -> int:
        return len(self.families)

    @property
    def num_families(self) -> int:
        return len(set(self.families))

    @property
    def median_error(self) -> float:
        """Median of |predicted / true - 1|."""
        return float(np.median(self.relative_errors))

    def factor(self, confidence: float) -> float:
        """The factor that the interval spans each way; infinite where the families are too few
        for this confidence."""
        sizes = Counter(self.families)
        weights = [1 / ((self.num_families + 1) * sizes[family]) for family in self.families]
        order = np.argsort(self.log_errors)
        held = np.cumsum(np.asarray(weights)[order])
        place = int(np.searchsorted(held, confidence - 1e-9))
        return math.exp(self.log_errors[order[place]]) if place < len(order) else math.inf

    def outside(self, shape: Mapping[str, float]) -> list[str]:
        """The features of `shape` that are beyond all networks of the fit, whose errors say nothing
        of such a prediction."""
        return [
            name for name, (least, most) in self.ranges.items() if not least <= shape[name] <= most
        ]

    def predict(self, shape: Mapping[str, float], confidence: float = 0.8) -> Predicted:
        """`shape`: a number above 0 for each of `features`."""
        x = np.log([[shape[name] for name in self.features]])
        kwh = math.exp(float(self.model.predict(x)[0]))
        factor = self.factor(confidence)
        return Predicted(kwh, kwh / factor, kwh * factor, confidence)


def fit(kwh: pd.Series, features: pd.DataFrame) -> Fit:
    """The model of the networks that both have, one row a network, all values above 0.

    Raises `ValueError` with fewer than `LEAST_FAMILIES` families.
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

    both = features.join(kwh.rename("kwh"), how="inner").dropna()
    families: Sequence[str] = [family_of(str(row)) for row in both.index]
    if len(set(families)) < LEAST_FAMILIES:
        raise ValueError(f"{len(set(families))} families; {LEAST_FAMILIES} are needed")
    x, y = np.log(both[list(features.columns)].to_numpy(float)), np.log(both["kwh"].to_numpy(float))
    left_out = cross_val_predict(LinearRegression(), x, y, groups=families, cv=LeaveOneGroupOut())
    return Fit(
        tuple(features.columns),
        tuple(families),
        np.abs(left_out - y),
        np.abs(np.exp(left_out - y) - 1),
        LinearRegression().fit(x, y),
        {str(name): (float(both[name].min()), float(both[name].max())) for name in features},
    )
