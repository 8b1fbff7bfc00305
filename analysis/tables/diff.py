"""What was measured or estimated here against what is published."""

from __future__ import annotations

import pandas as pd

from analysis.tables.lines import SETUP_COLUMNS

DIFFED = ("train_kwh", "test_kwh", "gqi", "params_m", "gmacs")


def diff(table: pd.DataFrame, tolerance_pct: float = 10.0) -> pd.DataFrame:
    """Relative differences, percent.

    `flag` names the quantities that differ by more than `tolerance_pct`, and says `within`
    where the published training electricity lies inside our interval.
    """
    rows = table[table["hardware"].notna()].copy()
    for name in DIFFED:
        rows[f"diff_{name}_pct"] = 100 * (rows[_ours(name, rows)] / rows[f"published_{name}"] - 1)
    flags = []
    for row in rows.to_dict("records"):
        over = [name for name in DIFFED if abs(row[f"diff_{name}_pct"]) > tolerance_pct]
        said = ", ".join(f"{name} differs" for name in over)
        half_width = row["estimated_train_kwh_half_width"]
        distance = abs(row["estimated_train_kwh"] - row["published_train_kwh"])
        if half_width is not None and distance <= half_width:
            said = ", ".join(filter(None, (said, "within")))
        flags.append(said)
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


def _ours(name: str, rows: pd.DataFrame) -> str:
    return f"estimated_{name}" if f"estimated_{name}" in rows else f"measured_{name}"
