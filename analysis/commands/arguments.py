"""Arguments that several commands take."""

from __future__ import annotations

import argparse

from analysis.named_folders import DEFAULT_FOLDERS


def add_runs(parser: argparse.ArgumentParser) -> None:
    """The argument `runs` of a command that by default takes every record there is."""
    parser.add_argument(
        "runs",
        nargs="*",
        help="folders with records (default: %(default)s)",
        default=list(DEFAULT_FOLDERS),
    )


def add_independent(parser: argparse.ArgumentParser) -> None:
    """`--independent FILE`, what a user knows of other people's measurements: the files, in the
    order given."""
    parser.add_argument(
        "--independent",
        action="append",
        default=[],
        metavar="FILE",
        help="a CSV file of your own with measured energies (docs/evidence.md); may be given twice",
    )
