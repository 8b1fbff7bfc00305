"""`python -m analysis figures RUNS... --out DIR`: write every figure as SVG, PDF and PNG."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Register the sub-command; `args.run(args)` executes it and returns the exit status."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "figures", help="the paper's figures as SVG, PDF and PNG"
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUNS", help="folders with records")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder to write to")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Draw and write; 0, or 2 after one line on stderr that names what to mend."""
    from analysis.figures.draw import draw_all, is_absent
    from analysis.figures.gather import NoRecords, gather
    from analysis.figures.write import write

    try:
        gathered = gather(args.runs)
        drawn = draw_all(gathered.frames)
        write(drawn, args.out)
    except NoRecords as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"--out={args.out} cannot be written: {error.strerror}; choose another folder",
              file=sys.stderr)  # fmt: skip
        return 2
    for problem in gathered.problems:
        print(f"left out: {problem}", file=sys.stderr)
    absent = [name for name, figure in drawn.items() if is_absent(figure)]
    print(f"{len(drawn)} figures in {args.out}"
          + (f"; not measured: {', '.join(absent)}" if absent else ""))  # fmt: skip
    return 0
