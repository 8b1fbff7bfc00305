"""`python -m analysis claims RUNS...`: what the paper claims, beside what these records show."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.commands.arguments import add_runs
from analysis.errors import AnalysisError
from analysis.named_folders import DEFAULT_FOLDERS, load_named
from analysis.tables.markdown_text import show_markdown

if TYPE_CHECKING:
    import pandas as pd

    from analysis.claims.claim import Claim

FIRST = 0.2
"""The share of a run from which the whole is predicted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_runs(parser)
    parser.add_argument(
        "--text",
        action="store_true",
        help="the claims that the paper's own tables test, without records",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table of claims as Markdown."""
    if args.text and args.runs != list(DEFAULT_FOLDERS):
        raise AnalysisError("--text needs no records; leave the folders out, or --text")
    show_markdown(of_the_text() if args.text else of_the_records(args.runs))
    return 0


def of_the_text() -> str:
    """The claims of the paper's text beside its own tables, Markdown."""
    from analysis.claims.claim import table
    from analysis.claims.text import claims

    return table(claims(), "By its own tables")


def of_the_records(folders: Sequence[str]) -> str:
    """Every claim beside what the records under `folders` show, Markdown.

    Raises `AnalysisError` for a folder that does not exist or holds no record.
    """
    from analysis.claims.claim import table

    return table(of_frame(load_named(folders).frame), "Measured here")


def of_frame(records: pd.DataFrame) -> list[Claim]:
    """Every claim beside what these records show. records: as `load` gives them."""
    from analysis.claims.verdicts import claims
    from analysis.commands.validate import read_or_name
    from analysis.estimates.validate import predictions_of

    finished = records[(records["status"] == "finished") & (records["kind"] == "record")]
    read = (read_or_name(path) for path in sorted(set(finished["path"])))
    outcomes = [
        outcome
        for record in read
        if record is not None
        for outcome in predictions_of(record, FIRST)
    ]
    return claims(records, outcomes)
