"""`python -m analysis validate RUN...`: predict each run from its first part, and compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from analysis.errors import AnalysisError
from analysis.estimates.validate import MEASURE_LONGER, LeftOut, Prediction, predictions_of
from analysis.records.load import Problem, find_records, reason_of
from metering.record import Record, RecordError
from metering.record_file import read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", help="folders with records, or records")
    parser.add_argument(
        "--first", type=float, default=0.2, help="share to predict from (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print each prediction; what is left out is named on standard error, as `tables` does."""
    if not 0 < arguments.first < 1:
        raise AnalysisError(f"--first {arguments.first} is not between 0 and 1; 0.2 is a fifth")
    predictions: list[Prediction] = []
    for path, record in _records(arguments.runs):
        for outcome in predictions_of(record, arguments.first):
            if isinstance(outcome, LeftOut):
                print(f"left out {Problem(path, str(outcome))}", file=sys.stderr)
            else:
                print(outcome)
                predictions.append(outcome)
    if not predictions:
        raise AnalysisError(f"no run can be predicted; measure longer with {MEASURE_LONGER}")
    held = sum(prediction.held for prediction in predictions)
    worst = max(abs(prediction.error) for prediction in predictions)
    whole = max(abs(prediction.whole_error) for prediction in predictions)
    width = median(
        prediction.half_width_kwh / prediction.predicted_kwh for prediction in predictions
    )
    print(
        f"interval held in {held} of {len(predictions)}, its half-width {width:.1%} (median); "
        f"largest error {worst:.2%} of the steps predicted, {whole:.2%} of a whole run"
    )
    return 0


def read_or_name(path: str) -> Record | None:
    """The record at `path`; None, and its name and the reason on standard error, where it cannot
    be read."""
    try:
        return read(Path(path))
    except (RecordError, OSError) as error:
        print(f"left out {Problem(path, reason_of(error))}", file=sys.stderr)
        return None


def _records(folders: Sequence[str]) -> Iterator[tuple[str, Record]]:
    """Every readable record at or under `folders`, once; others are named and left out.

    Raises `AnalysisError` for a folder that holds none that can be read.
    """
    readable: dict[str, bool] = {}
    for folder in folders:
        closed: list[Problem] = []
        paths = find_records([folder], closed)
        for problem in closed:
            print(f"left out {problem}", file=sys.stderr)
        for path in paths:
            if path not in readable:
                record = read_or_name(path)
                readable[path] = record is not None
                if record is not None:
                    yield path, record
        if not any(readable[path] for path in paths):
            raise AnalysisError(f"{folder} holds no readable record; name the output_dir of a run")
