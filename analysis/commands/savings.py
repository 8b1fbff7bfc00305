"""`python -m analysis savings RUNS...`: what each switch saves, and how much order matters."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.commands.arguments import add_runs
from analysis.errors import AnalysisError
from analysis.named_folders import load_named
from analysis.tables.markdown_text import show_markdown

COMMAND = "python run.py -m experiment=savings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_runs(parser)
    parser.add_argument("--figure", type=Path, help="also draw it: a file, .svg, .pdf or .png")
    parser.add_argument(
        "--best",
        type=Path,
        metavar="FOLDER",
        help="write the best combination of each network as a switch of its own into this folder, "
        "and print the commands that measure them, and nothing else",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table, the best combinations and the effect of order."""
    from analysis.estimates.combinations import combinations
    from analysis.estimates.merge import merge
    from analysis.estimates.savings import savings
    from analysis.tables.savings import markdown

    if args.figure is not None and args.figure.suffix.lower() not in (".svg", ".pdf", ".png"):
        raise AnalysisError(f"--figure {args.figure} is no figure; name a .svg, .pdf or .png")
    frame = load_named(args.runs).frame
    rows = merge(frame)
    if args.best is not None:
        return print_commands(combinations(rows), args.best)
    compared = savings(rows)
    order = order_lines(frame)
    if not compared and (not order or args.figure is not None):
        raise AnalysisError(f"no network was measured with a switch changed; measure: {COMMAND}")
    if compared:
        show_markdown(markdown(compared, combinations(rows)))
    if compared and order:
        print()
    for line in order:
        print(line)
    if args.figure is not None:
        draw(compared, args.figure)
    return 0


def print_commands(best: list[Any], folder: Path) -> int:
    """Raises `AnalysisError` where no combination is left to be measured."""
    from analysis.commands.second_stage import references, write_switches

    commands = write_switches(best, folder)
    if not commands:
        raise AnalysisError(
            "every combination was measured already"
            if best
            else f"nothing is shown to save, so there is nothing to combine; measure: {COMMAND}"
        )
    print("\n".join(commands))
    print("note: add what else your first command had (data, phases ...):", file=sys.stderr)
    for line in references(best):
        print(f"note: {line}", file=sys.stderr)
    return 0


def draw(compared: list[Any], path: Path) -> None:
    """Raises `AnalysisError` where the file cannot be written."""
    from analysis.figures.savings import figure_savings

    try:
        figure_savings(compared).savefig(path)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"--figure {path} cannot be written: {error}") from None


def order_lines(frame: pd.DataFrame) -> list[str]:
    """How much the place in a shuffled sweep, and the temperature before a run, change its rate."""
    from analysis.estimates.sweep_effect import order_effect, temperature_effect
    from analysis.estimates.sweep_places import placed_runs

    runs = placed_runs(frame)
    effects = (
        (order_effect(runs), "from the first run of a sweep to the last"),
        (temperature_effect(runs), "for a degree Celsius before the run"),
    )
    return [
        f"Order: a rate changes by {100 * slope.value:+.2f} % ± {100 * slope.half_width:.2f} "
        f"{what} ({slope.num_runs} runs of {slope.num_setups} set-ups, shuffled; "
        f"{'shown' if slope.is_shown else 'not shown'})"
        for slope, what in effects
        if slope is not None
    ]
