"""`python -m analysis audit`: the paper's numbers beside other people's measurements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from analysis.commands.arguments import add_independent
from analysis.tables.markdown_text import show_markdown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--full",
        action="store_true",
        help="every finding with its basis, formula, sources and what settles it",
    )
    add_independent(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings as Markdown."""
    from analysis.independent.own_file import notes, with_files

    for line in notes(with_files(args.independent)):
        print(f"note: {line}", file=sys.stderr)
    show_markdown(text(args.independent, args.full))
    return 0


def text(files: Sequence[str] = (), full: bool = False) -> str:
    """The table of findings, or every finding in full, Markdown.

    Raises `AnalysisError` for a file that cannot be used.
    """
    from analysis.audit.all_findings import findings
    from analysis.audit.finding import pages, table
    from analysis.independent.own_file import with_files

    audited = findings(with_files(files))
    return pages(audited) if full else table(audited)
