"""What the figures are drawn from: three frames, whatever they were read from.

`rows`: one row per model, kind of number and set-up, of classification on ImageNet-1k; rows of one
`hardware` and `set_up` (batch size, precision, image size ...) can be compared; those of one
`group` compete, and `on_front` says which are on its Pareto front.
`runs`: one row per record and phase that was measured; `curve_*` hold one entry per block;
`collection`: whose records, where there are several.
`stages`: one row per model and stage of its training.
`beside`: one row per network, phase and scope (whose energy), of every kind of number, J an image;
`where` names what belongs together: a source, board and batch.
`others`: one row per measurement that other people published of the networks of the paper's studies
over devices and batch sizes; `batch_size`: of one board.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

ROW_COLUMNS = (
    "model", "kind", "train_kwh", "half_width_kwh", "accuracy_pct", "gqi", "test_kwh",
    "hardware", "set_up", "is_small", "source", "group", "on_front",
)  # fmt: skip
RUN_COLUMNS = (
    "model", "phase", "device", "batch_size", "precision", "data", "variant", "fraction",
    "num_epoch_samples", "is_small", "kwh_per_sample", "half_width_kwh_per_sample",
    "gpu_kwh_per_sample",
    "curve_samples", "curve_kwh", "record", "setup", "collection",
)  # fmt: skip
STAGE_COLUMNS = ("model", "kind", "stage", "kwh", "basis", "is_small")
APPLIANCE_COLUMNS = ("name", "kwh_per_month", "basis", "source", "certainty")
BESIDE_COLUMNS = ("model", "phase", "kind", "scope", "j_per_sample", "half_width", "where")
OTHERS_COLUMNS = (
    "model", "phase", "scope", "device", "num_gpus", "batch_size", "wh_per_1000", "software",
    "source",
)  # fmt: skip
LANGUAGE_MODEL_COLUMNS = ("name", "train_kwh", "source", "certainty")


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True)
class Frames:
    """Everything that the figures are drawn from; a missing frame is an empty one."""

    rows: pd.DataFrame = field(default_factory=lambda: _empty(ROW_COLUMNS))
    runs: pd.DataFrame = field(default_factory=lambda: _empty(RUN_COLUMNS))
    stages: pd.DataFrame = field(default_factory=lambda: _empty(STAGE_COLUMNS))
    appliances: pd.DataFrame = field(default_factory=lambda: _empty(APPLIANCE_COLUMNS))
    references: pd.DataFrame = field(default_factory=lambda: _empty(APPLIANCE_COLUMNS))
    language_models: pd.DataFrame = field(default_factory=lambda: _empty(LANGUAGE_MODEL_COLUMNS))
    beside: pd.DataFrame = field(default_factory=lambda: _empty(BESIDE_COLUMNS))
    others: pd.DataFrame = field(default_factory=lambda: _empty(OTHERS_COLUMNS))


def gqi(
    accuracy_pct: pd.Series, kwh: pd.Series, alpha: float = 5.0, beta: float = 5.0
) -> pd.Series:
    """The Green Quotient Index, Eq. 1 of the paper; null where kWh is 1 or less or unknown."""
    import numpy as np

    log_kwh = np.log10(kwh.astype(float).where(kwh.astype(float) > 1))
    return beta * (accuracy_pct.astype(float) / 100) ** alpha / log_kwh
