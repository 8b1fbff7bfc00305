"""`--independent FILE`: what a user knows of other people's measurements, for several commands."""

from __future__ import annotations

import argparse


def add_independent(parser: argparse.ArgumentParser) -> None:
    """`args.independent`: the files, in the order given."""
    parser.add_argument(
        "--independent",
        action="append",
        default=[],
        metavar="FILE",
        help="a CSV file of your own with measured energies (docs/evidence.md); may be given twice",
    )
