"""What the findings are computed from: the paper's numbers by row."""

from __future__ import annotations

import pandas as pd

from analysis.independent.facts import throughput
from analysis.published import facts as published

J_PER_KWH = 3.6e6
A6000_W, RTX3090_W = 300.0, 350.0
"""Board power, `conf/hardware/{a6000,rtx3090x2}.yaml`."""
IMAGES = published.IMAGENET_TRAIN_IMAGES
SURE = ("high", "exact")
"""How the certainty of an implied number of epochs begins where the digits determine it."""
MISSIZED = ("EfficientNet B7", "EfficientNetv2 S", "EfficientNetv2 M", "EfficientNetv2 L")
"""Rows whose printed energy fits a run at 224 pixels."""


def printed(quantity: str) -> pd.Series:
    """A printed column of Table 3 by row: `train_kwh`, `test_kwh`, `top1_pct`, `gmacs`."""
    return published.wide(published.IMAGENET).set_index("model")[quantity]


def rtx3090_train_speed() -> pd.Series:
    """Images a second of an RTX 3090 in mixed precision at its largest batch, by row of Table 3."""
    frame = throughput()
    of = frame[(frame["phase"] == "train") & (frame["layout"] == "nchw")]
    return of.set_index("row")["samples_per_s"]


def kwh_per_epoch(with_pretraining: bool) -> pd.Series:
    """kWh that the paper's total implies for 1,281,167 images, by row of Table 3.

    with_pretraining: of the row's own long stage, which for self-supervised rows is another step
    than its network's; else the supervised step, of rows that were trained with it alone.
    """
    rates: dict[str, dict[str, float]] = {}
    for (model, dataset, workload), rate in published.implied_rates().items():
        if dataset == published.IMAGENET:
            rates.setdefault(model, {})[workload] = rate.kwh_per_sample * IMAGES
    values = {}
    for model, of in rates.items():
        own = {workload: kwh for workload, kwh in of.items() if workload != "supervised"}
        if not own:
            values[model] = of["supervised"]
        elif with_pretraining:
            values[model] = next(iter(own.values()))
    return pd.Series(values)


def is_sure(rows: pd.Index) -> pd.Series:
    """Whether the printed digits determine the number of epochs of each row."""
    rates = published.implied_rates()
    keys = [(row, published.IMAGENET, "supervised") for row in rows]
    return pd.Series([rates[key].certainty.startswith(SURE) for key in keys], index=rows)


def span(values: pd.Series | list[float], digits: int = 2) -> str:
    """`0.16 to 0.22`."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"
