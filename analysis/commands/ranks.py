"""`python -m analysis ranks`: Table 3 ranked by several indices, and how far they agree."""

from __future__ import annotations

import argparse
import math
from functools import partial

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.estimates import indices
from analysis.estimates.metrics import ALPHA, BETA
from analysis.tables.markdown_text import show_markdown

DEFAULT = ("gqi", "gqi_wh", "gqi_j", "accuracy_per_kwh", "pepr_e", "accuracy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--index", default=",".join(DEFAULT), help=f"of {', '.join(indices.INDICES)}"
    )
    parser.add_argument("--alpha", type=float, default=ALPHA, help="of gqi (default %(default)s)")
    parser.add_argument("--beta", type=float, default=BETA, help="of gqi (default %(default)s)")
    parser.add_argument("--unit", default="kWh", help=f"of gqi: {', '.join(indices.PER_KWH)}")
    parser.add_argument("--top", type=int, default=10, help="models to show, by the first index")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print places and agreement as Markdown."""
    if args.unit not in indices.PER_KWH:
        known = ", ".join(indices.PER_KWH)
        raise AnalysisError(f"--unit {args.unit} is unknown; it is one of {known}")
    if not (math.isfinite(args.alpha) and args.beta > 0 and math.isfinite(args.beta)):
        raise AnalysisError("--alpha and --beta are numbers, --beta above 0")
    if args.top < 1:
        raise AnalysisError(f"--top {args.top} shows no model; give 1 or more")
    names = [name.strip() for name in args.index.split(",") if name.strip()]
    if not names:
        raise AnalysisError(f"--index names none; it is of {', '.join(indices.INDICES)}")
    chosen = indices.chosen(names)
    if "gqi" not in chosen and (args.alpha, args.beta, args.unit) != (ALPHA, BETA, "kWh"):
        raise AnalysisError("--alpha, --beta and --unit do nothing without gqi; add it to --index")
    if "gqi" in chosen:
        function = partial(indices.gqi, alpha=args.alpha, beta=args.beta, unit=args.unit)
        chosen["gqi"] = indices.Index(function, chosen["gqi"].source)
    show_markdown(text(chosen, args.top))
    return 0


def text(chosen: dict[str, indices.Index], top: int) -> str:
    """The first `top` models by the first index, with their place by each, and Kendall's tau."""
    from analysis.published.table3 import published_rows

    rows = published_rows()
    values = indices.values(rows, chosen)
    for name, column in values.items():
        if not np.isfinite(column).any() or column.nunique() < 2:
            raise AnalysisError(
                f"{name} is the same number, or none, for every row; --alpha and --beta of a few "
                "units give each its own"
            )
    places = indices.places(values).sort_values(next(iter(chosen)))
    shown = places.head(top).astype("Int64")
    shown.insert(0, "kWh", rows["kwh"].map("{:,.1f}".format))
    shown.insert(0, "top-1 %", rows["accuracy_pct"])
    lines = [
        f"Places of {len(rows)} rows of Table 3, all published; by "
        + "; ".join(f"{name}: {index.source}" for name, index in chosen.items())
        + ".",
        "",
        _markdown(shown, "model"),
        "",
        *(_scaled(rows["kwh"]) if "pepr_e" in chosen else ()),
        "Agreement (Kendall's tau-b; no interval: rows share networks and rates, so their number "
        "is none of independent pairs):",
        "",
        _markdown(indices.agreement(values).map("{:.2f}".format), "index"),
    ]
    return "\n".join(lines) + "\n"


def _scaled(kwh: pd.Series) -> tuple[str, str]:
    middle = (kwh.median() - kwh.min()) / (kwh.max() - kwh.min())
    return (
        f"pepr_e scales electricity to 0 to 1 over the rows that are compared, {kwh.min():,.0f} to "
        f"{kwh.max():,.0f} kWh: half of them lie at {middle:.3f} or less, where electricity takes "
        f"off {middle / (1 + middle):.1%} at most. Other rows change it.",
        "",
    )


def _markdown(table: pd.DataFrame, name: str) -> str:
    return str(table.rename_axis(name).to_markdown())
