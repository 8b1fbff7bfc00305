"""`python -m analysis figures RUNS... --out DIR`: write every figure as SVG, PDF and PNG."""

from __future__ import annotations

import argparse
from pathlib import Path

from analysis.commands.arguments import add_independent, add_runs
from analysis.errors import AnalysisError
from analysis.named_folders import load_named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_runs(parser)
    parser.add_argument("--out", type=Path, default=Path("figures"), help="output folder")
    add_independent(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw and write all figures. Raises `AnalysisError` for what the user can correct."""
    from analysis.figures.draw import draw_all, is_absent
    from analysis.figures.gather import gather
    from analysis.figures.write import write

    drawn = draw_all(gather(load_named(args.runs), args.independent).frames)
    try:
        write(drawn, args.out)
    except OSError as error:
        raise cannot_write(args.out, error) from None
    absent = ", ".join(name for name, figure in drawn.items() if is_absent(figure))
    print(
        f"wrote {len(drawn)} figures to {args.out}/" + (f"; not measured: {absent}" * bool(absent))
    )
    return 0


def cannot_write(out: Path, error: OSError) -> AnalysisError:
    return AnalysisError(
        f"--out {out} cannot be written: {error.strerror or error}; name another folder"
    )
