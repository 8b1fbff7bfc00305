"""`python -m analysis validate RUN...`: predict each run from its first part, and compare."""

from __future__ import annotations

import argparse
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.validate import MIN_BLOCKS, Prediction, predictions_of
from metering.record import FILE_NAME, RecordError, read


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = subparsers.add_parser("validate", help="how well a run's first part predicts it")
    command.add_argument("runs", nargs="+", type=Path, help="folders with records, or records")
    command.add_argument(
        "--first", type=float, default=0.2, help="share to predict from (default: %(default)s)"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if not 0 < arguments.first < 1:
        raise AnalysisError(f"--first {arguments.first} is not between 0 and 1; 0.2 is a fifth")
    found: list[Prediction] = []
    for path in _records(arguments.runs):
        try:
            record = read(path)
        except (RecordError, OSError) as error:
            raise AnalysisError(f"{path}: {error}; name a record of this suite") from None
        found += predictions_of(record, arguments.first)
    if not found:
        raise AnalysisError(
            f"no run has {2 * MIN_BLOCKS} measured blocks or more; measure longer with "
            "meter.min_blocks=40 meter.time_budget_s=600"
        )
    for one in found:
        print(one)
    held = sum(one.held for one in found)
    worst = max(abs(one.error) for one in found)
    print(f"interval held in {held} of {len(found)}; largest error {worst:.2%}")
    return 0


def _records(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        here = [path] if path.is_file() else sorted(path.expanduser().rglob(FILE_NAME))
        if not here:
            raise AnalysisError(f"{path} holds no record.json; name the output_dir of a run")
        found += here
    return found
