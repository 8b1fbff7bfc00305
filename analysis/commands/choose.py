"""`python -m analysis choose`: which network to take, on the paper's numbers."""

from __future__ import annotations

import argparse

import pandas as pd

from analysis.errors import AnalysisError, unknown
from analysis.tables.markdown_text import show_markdown

ASSUMED = "assumed half-width of every electricity, %% (the paper has none)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at-least", type=float, metavar="PCT", help="the cheapest of this top-1")
    parser.add_argument(
        "--break-even",
        nargs=2,
        metavar="MODEL",
        help="from how many images on the costlier training pays",
    )
    parser.add_argument("--energy-error", type=float, default=0.0, metavar="PCT", help=ASSUMED)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what was asked for, else the Pareto front."""
    from analysis.published.table3 import published_rows

    if not 0 <= args.energy_error < 1000:
        raise AnalysisError(
            f"--energy-error {args.energy_error} is not a percentage; give 0 to 999"
        )
    if args.break_even and args.at_least is not None:
        raise AnalysisError("--at-least does nothing with --break-even; leave one of them out")
    if args.at_least is not None and not 0 <= args.at_least <= 100:
        raise AnalysisError(f"--at-least {args.at_least:g} is not a percentage; give 0 to 100")
    rows = published_rows()
    rows["kwh_half_width"] = rows["kwh"] * args.energy_error / 100
    if args.break_even:
        first, second = args.break_even
        show_markdown(_break_even(rows, first, second, args.energy_error))
    elif args.at_least is not None:
        show_markdown(_cheapest(rows, args.at_least, args.energy_error))
    else:
        show_markdown(_front(rows, args.energy_error))
    return 0


def _uncertainty(energy_error: float) -> str:
    if energy_error:
        return f"electricity ± {energy_error:g} % (assumed), accuracy binomial of 50,000 images"
    return "electricity as printed, without an interval; accuracy binomial of 50,000 images"


def _shown(rows: pd.DataFrame, more: pd.DataFrame) -> str:
    table = rows[["accuracy_pct", "kwh"]].rename(columns={"accuracy_pct": "top-1 %", "kwh": "kWh"})
    table = table.join(more).loc[more.index].sort_values("kWh")
    return str(table.to_markdown(floatfmt=("", ".1f", ",.1f", ".2f", ".2f")))


def _front(rows: pd.DataFrame, energy_error: float) -> str:
    from analysis.estimates.choice import front

    on_front = front(rows)
    kept = on_front[on_front["is_on_front"] | (on_front["front_share"] >= 0.05)]
    named = pd.DataFrame({"share of draws on the front": kept["front_share"]})
    return (
        f"Pareto front of {len(rows)} rows of Table 3, published ({_uncertainty(energy_error)}): "
        f"{int(on_front['is_on_front'].sum())} on it as the numbers stand, all with 5 % or more "
        f"shown.\n\n{_shown(rows, named)}"
    )


def _cheapest(rows: pd.DataFrame, at_least: float, energy_error: float) -> str:
    from analysis.estimates.choice import cheapest

    candidates = cheapest(rows, at_least)
    kept = candidates[candidates["cheapest_share"] >= 0.01]
    if not candidates["reaches"].any():
        best = rows["accuracy_pct"].max()
        raise AnalysisError(f"--at-least {at_least:g}: no row reaches it; the best is {best} %")
    first = rows.loc[candidates["reaches"], "kwh"].idxmin()
    named = pd.DataFrame(
        {"reaches it": kept["reach_share"], "is the cheapest": kept["cheapest_share"]}
    )
    return (
        f"Cheapest of {int(candidates['reaches'].sum())} rows with {at_least:g} % top-1 or more, "
        f"published ({_uncertainty(energy_error)}): {first}. Shares of draws:\n\n"
        f"{_shown(rows, named)}"
    )


def _break_even(rows: pd.DataFrame, first: str, second: str, energy_error: float) -> str:
    from analysis.estimates.choice import Model, break_even

    if first == second:
        raise AnalysisError(f"--break-even names {first} twice; name two models")
    models = []
    for name in (first, second):
        if name not in rows.index:
            raise unknown("--break-even", name, rows.index)
        row = rows.loc[name]
        if pd.isna(row["test_kwh_per_sample"]):
            raise AnalysisError(f"--break-even {name}: its test kWh is not legible; name another")
        share = energy_error / 100
        train, test = float(row["kwh"]), float(row["test_kwh_per_sample"])
        models.append(Model(name, train, test, share * train, share * test))
    one, two = models
    if (one.train_kwh, one.test_kwh_per_sample) == (two.train_kwh, two.test_kwh_per_sample):
        return f"{first} and {second} take the same, in training and an image"
    crossing = break_even(one, two)
    if crossing.num_samples is None:
        return (
            f"{crossing.cheaper_first} takes less in training and no more an image: always cheaper"
        )
    text = (
        f"{crossing.cheaper_first} is cheaper up to {_count(crossing.num_samples)} images, then "
        f"{crossing.other}"
    )
    if crossing.interval:
        low, high = crossing.interval
        width = f"electricity ± {energy_error:g} % (assumed)"
        return f"{text} (95 %: {_count(max(low, 0))} to {_count(high)}; {width})"
    if energy_error:
        return f"{text}; at ± {energy_error:g} % that number has no upper end"
    return f"{text}; on the printed numbers, which have no interval"


def _count(number: float) -> str:
    """To three digits: the printed numbers have four."""
    return f"{float(f'{number:.3g}'):,.0f}"
