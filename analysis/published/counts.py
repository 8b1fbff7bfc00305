"""GMACs, activations and parameters of every network of Table 3, as timm builds it.

Counted by `python -m benchmarks.network_counts`; activations are the output elements of
convolutions and fully connected layers (Radosavovic et al. 2020, "Designing Network Design
Spaces", section 3), in millions.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

PLAIN_SIZE = 224


@cache
def counts() -> pd.DataFrame:
    """One row a model and image size: network, params_m, gmacs, activations_m, source."""
    return pd.read_csv(Path(__file__).parent / "counts.csv")


def at_own_size() -> pd.DataFrame:
    """One row a model, at its own image size; indexed by model."""
    return counts().drop_duplicates("model").set_index("model")


def share_at_224_px(model: str) -> float:
    """GMACs at 224 pixels over GMACs at the network's own size."""
    rows = counts()[counts()["model"] == model].set_index("image_size_px")["gmacs"]
    return float(rows[PLAIN_SIZE] / rows.iloc[0])
