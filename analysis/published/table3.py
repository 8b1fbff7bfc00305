"""Table 3 of the paper as the frame that indices and choices are made from."""

from __future__ import annotations

import pandas as pd

from analysis.published import facts as published


def published_rows() -> pd.DataFrame:
    """Indexed by model: `accuracy_pct`, `num_tested`, `kwh` (training), `kwh_half_width` (null:
    the paper has no intervals) and `test_kwh_per_sample`."""
    table = published.wide(published.IMAGENET).set_index("model")
    num = published.TEST_SAMPLES[published.IMAGENET]
    return pd.DataFrame(
        {
            "accuracy_pct": table["top1_pct"],
            "num_tested": num,
            "kwh": table["train_kwh"],
            "kwh_half_width": float("nan"),
            "test_kwh_per_sample": table["test_kwh"] / num,
        }
    )
