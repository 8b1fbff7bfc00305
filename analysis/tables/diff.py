"""What was measured or estimated here against what is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.tables.epochs import Epochs
from analysis.tables.lines import SETUP_COLUMNS
from analysis.tables.numbers import absent

DIFFED = ("train_kwh", "test_kwh", "gqi", "params_m", "gmacs")


def diff(table: pd.DataFrame, tolerance_pct: float = 10.0) -> pd.DataFrame:
    """Relative differences, percent.

    `flag` names the quantities that differ by more than `tolerance_pct`, and says `within`
    where the published training electricity lies inside our interval. Electricity of another number
    of epochs than the published total implies is never `within`: the flag says `epochs differ`.
    """
    rows = table[table["hardware"].notna()].copy()
    for name in DIFFED:
        rows[f"diff_{name}_pct"] = 100 * (rows[_ours(name, rows)] / rows[f"published_{name}"] - 1)
    flags = []
    for row in rows.to_dict("records"):
        over = [name for name in DIFFED if abs(row[f"diff_{name}_pct"]) > tolerance_pct]
        reason = ", ".join(f"{name} differs" for name in over)
        half_width = row["estimated_train_kwh_half_width"]
        distance = abs(row["estimated_train_kwh"] - row["published_train_kwh"])
        if _epochs_differ(row):
            reason = ", ".join(filter(None, (reason, "epochs differ")))
        elif half_width is not None and distance <= half_width:
            reason = ", ".join(filter(None, (reason, "within")))
        flags.append(reason)
    rows["flag"] = flags
    kept = ["dataset", "model", *SETUP_COLUMNS]
    for name in DIFFED:
        kept += [f"published_{name}", _ours(name, rows), f"diff_{name}_pct"]
    gone = set(table.columns) - set(kept)
    rows["footnotes"] = [
        {column: text for column, text in notes.items() if column not in gone}
        for notes in rows["footnotes"]
    ]
    return rows[[*kept, "flag", "footnotes"]].reset_index(drop=True)


def _epochs_differ(row: Mapping[Any, Any]) -> bool:
    ours, implied = row["estimated_epochs"], row["published_implied_epochs"]
    return not absent(ours) and not absent(implied) and Epochs(ours, implied).differ


def _ours(name: str, rows: pd.DataFrame) -> str:
    return f"estimated_{name}" if f"estimated_{name}" in rows else f"measured_{name}"
