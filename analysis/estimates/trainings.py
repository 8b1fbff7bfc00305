"""Parts of one training, which was interrupted and resumed, added before anything merges.

What each part used is added, and so are its samples: steps that were repeated after the last
checkpoint were paid twice, and count twice. An interrupted part counts; where no part finished,
the training did not.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

SUMS = (
    "gpu_kwh",
    "cpu_kwh",
    "ram_kwh",
    "energy_kwh",
    "num_samples",
    "duration_s",
    "emissions_kg_co2eq",
    "setup_kwh",
    "checkpoint_kwh",
)
UNLIKE = "parts of one training on unlike set-ups: no rate"


def add_parts(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame`, as `load` gives it, with one row for each phase of a training in parts."""
    if "training_id" not in frame or not frame["training_id"].notna().any():
        return frame
    is_part = frame["training_id"].notna() & frame["phase"].notna()
    groups = frame[is_part].groupby(["training_id", "phase"], observed=True, sort=False)
    changed: dict[Any, dict[str, Any]] = {}
    dropped: list[Any] = []
    for _, parts in groups:
        if len(parts) < 2:
            continue
        parts = parts.sort_values("started_s", kind="stable")  # noqa: PLW2901
        *others, last = parts.index
        changed[last] = _added(parts)
        dropped += others
    frame = frame.copy()
    for index, values in changed.items():
        for name, value in values.items():
            frame.at[index, name] = value
    return frame.drop(index=dropped)


def _added(parts: pd.DataFrame) -> dict[str, Any]:
    values: dict[str, Any] = {name: parts[name].sum(min_count=1) for name in SUMS}
    samples = values["num_samples"]
    alike = parts["merge_key"].nunique() == 1 and samples > 0
    flags = [flag for flag in parts["flags"] if flag]
    flags.append(f"{len(parts)} parts of one training, added" if alike else UNLIKE)
    return values | {
        "status": "finished" if (parts["status"] == "finished").any() else parts["status"].iloc[-1],
        "kwh_per_sample": values["energy_kwh"] / samples if alike else float("nan"),
        "s_per_sample": values["duration_s"] / samples if alike else float("nan"),
        "kwh_half_width": float("nan"),
        "s_half_width": float("nan"),
        "flags": "; ".join(dict.fromkeys(flags)),
    }
