"""`python -m analysis claims RUNS...`: what the paper claims, beside what these records show."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from analysis.commands.folders import DEFAULT_FOLDERS, load_named

FIRST = 0.2
"""The share of a run from which the whole is predicted."""


def add_parser(subparsers: Any) -> None:
    """Register the command; `args.run(args)` executes it."""
    parser = subparsers.add_parser("claims", help="the paper's claims beside what was measured")
    parser.add_argument(
        "runs",
        nargs="*",
        help="folders with records (default: %(default)s)",
        default=list(DEFAULT_FOLDERS),
    )
    parser.add_argument(
        "--text",
        action="store_true",
        help="the claims that the paper's own tables test, without records",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table of claims as Markdown."""
    print(of_the_text() if args.text else table(args.runs), end="")
    return 0


def of_the_text() -> str:
    """The claims of the paper's text beside its own tables, Markdown."""
    from analysis.claims.claim import table
    from analysis.claims.text import claims

    return table(claims(), "By its own tables")


def table(folders: Sequence[str]) -> str:
    """Every claim beside what the records under `folders` show, Markdown.

    Raises `AnalysisError` for a folder that does not exist or holds no record.
    """
    from analysis.claims.verdicts import claims, markdown
    from analysis.commands.validate import read_or_name
    from analysis.estimates.validate import Prediction, predictions_of
    from analysis.figures.gather import gather
    from metering.settings import MeterSettings

    gathered = gather(load_named(folders))
    steady = gathered.records[
        (gathered.records["status"] == "finished")
        & (gathered.records["kind"] == "record")
        & (gathered.records["meter"] == "adaptive")  # the others measure their own warm-up
    ]
    records = [read_or_name(path) for path in sorted(set(steady["path"]))]
    predictions = [
        one
        for record in records
        if record is not None
        for one in predictions_of(record, FIRST)
        # the fifth is a short run only if an adaptive window could have been as short
        if isinstance(one, Prediction) and one.num_blocks * FIRST >= MeterSettings().min_blocks
    ]
    return markdown(claims(gathered.frames, predictions))
