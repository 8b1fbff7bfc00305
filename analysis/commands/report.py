"""`python -m analysis report RUNS... --out DIR`: write the report as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from analysis.commands.arguments import add_independent, add_runs
from analysis.commands.claims import of_frame
from analysis.commands.figures import cannot_write
from analysis.named_folders import load_named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_runs(parser)
    parser.add_argument("--out", type=Path, default=Path("report"), help="output folder")
    add_independent(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build and write the report. Raises `AnalysisError` for what the user can correct."""
    from analysis.figures.draw import draw_all
    from analysis.figures.gather import gather
    from analysis.report import page
    from analysis.report.build import build

    gathered = gather(load_named(args.runs), args.independent)
    report = build(gathered, draw_all(gathered.frames), of_frame(gathered.records))
    try:
        path = page.write(report, args.out)
    except OSError as error:
        raise cannot_write(args.out, error) from None
    print(f"wrote {path}; {len(report.missing)} things of the paper are not measured yet")
    return 0
