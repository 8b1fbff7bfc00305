"""`python -m analysis check BUNDLE...`: of each record whether it can be believed, and why not.

0: every record is believable or doubtful. 1: one is not believable.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.share.check import VERDICTS, check
from analysis.share.record_checks import BLIND


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundles", nargs="+", type=Path, help="bundles, records, or folders")
    parser.add_argument("--all", action="store_true", help="name the believable ones too")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    for place in arguments.bundles:
        if not place.expanduser().exists():
            raise AnalysisError(f"{place} does not exist; name a bundle, a record or a folder")
    try:
        checked = check([place.expanduser() for place in arguments.bundles])
    except OSError as error:
        named = error.filename or ", ".join(map(str, arguments.bundles))
        raise AnalysisError(
            f"{named} cannot be read: {error.strerror or error}; copy it again"
        ) from None
    if not checked:
        raise AnalysisError("no record there; `python -m analysis share` makes a bundle")
    for record in checked:
        if arguments.all or record.verdict != "believable":
            print(record)
    counts = Counter(record.verdict for record in checked)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    print(f"{len(checked)} record{'s' * (len(checked) > 1)}: {counted}")
    print(BLIND, file=sys.stderr)
    return 1 if counts["not believable"] else 0
