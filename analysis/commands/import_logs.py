"""`python -m analysis import FOLDER... --samples N --model NAME`: CodeCarbon logs as records."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import AnalysisError, unknown
from analysis.named_folders import log_lines
from analysis.records.codecarbon.find import LogFile
from analysis.records.codecarbon.importing import Given, import_logs
from analysis.records.load import Problem, find_logs
from metering import catalogue
from metering.bounds import MOST
from metering.json_values import shown
from metering.record_file import write

MOST_BYTES = 150
"""Of a name that becomes a folder's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", help="folders with emissions files, or such files")
    parser.add_argument("--samples", type=_whole, help="that each run processed in its phase")
    parser.add_argument("--model", help="name of the model (default: what the config says)")
    parser.add_argument("--task", help=f"one of {', '.join(catalogue.task_names())}")
    parser.add_argument("--data", help="name of the data set")
    parser.add_argument("--batch-size", type=_whole)
    parser.add_argument("--precision", help="such as fp32")
    parser.add_argument("--phase", choices=("train", "test"), help="what the run did")
    parser.add_argument(
        "--run-id", action="append", default=[], help="import this run alone; may be repeated"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/imported"), help="default: %(default)s"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write a record for each run; what became of each file is said on standard error."""
    for name in ("samples", "batch_size"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise AnalysisError(f"--{name.replace('_', '-')} {value} is not above 0")
    for name in ("model", "data", "precision"):
        _check_name(name, getattr(arguments, name))
    if arguments.task is not None and arguments.task not in catalogue.task_names():
        raise unknown("--task", arguments.task, catalogue.task_names())
    files = _logs_of(arguments.folders)
    imported = import_logs(files, _given(arguments))
    for line in log_lines(imported.outcomes):
        print(line, file=sys.stderr)
    if not imported.records:
        raise AnalysisError("no run was imported; the lines above say why")
    for record in imported.records:
        model = record.model.replace("/", "_").encode()[:MOST_BYTES].decode(errors="ignore")
        folder = arguments.out / record.task / model / record.run_id
        try:
            write(record, folder)
        except OSError as error:
            raise AnalysisError(
                f"--out {folder} cannot be written: {error.strerror or error}; name another folder"
            ) from None
    rates = [
        p for record in imported.records for p in record.phases.values() if p.energy_kwh_per_sample
    ]
    cure = "" if rates else "; give --samples N, the samples that a run processed"
    if not rates and arguments.samples is not None:
        cure = "; the lines above say why"
    written = len(imported.records)
    print(f"wrote {written} records to {arguments.out}/; {len(rates)} phases have a rate{cure}")
    return 0


def _logs_of(folders: Sequence[str]) -> list[LogFile]:
    """What cannot be read is named. Raises `AnalysisError` where there is no log."""
    for folder in folders:
        if not Path(folder).expanduser().exists():
            raise AnalysisError(f"{folder} does not exist; name a folder with emissions files")
    problems: list[Problem] = []
    files = find_logs(folders, problems)
    for problem in problems:
        print(f"left out {problem}", file=sys.stderr)
    if not files:
        raise AnalysisError(f"{', '.join(folders)}: no CodeCarbon log; it is a CSV file")
    return files


def _whole(text: str) -> int:
    """`1281167`, or `1.28e6`; a comma may be decimal or group digits."""
    try:
        number = float(text)
        if number == int(number) and abs(number) <= MOST:
            return int(text) if text.lstrip("+-").isdecimal() else int(number)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number, such as 1281167")


def _check_name(name: str, value: str | None) -> None:
    """Raises `AnalysisError` for what names nothing, or breaks a line or a path."""
    if value is None:
        return
    if not value.strip() or not value.isprintable() or len(value.encode()) > MOST_BYTES:
        raise AnalysisError(
            f"--{name} {shown(value)} is no name; give 1 to {MOST_BYTES} bytes on one line"
        )


def _given(arguments: argparse.Namespace) -> Given:
    return Given(
        model=arguments.model,
        num_samples=arguments.samples,
        task=arguments.task,
        data=arguments.data,
        batch_size=arguments.batch_size,
        phase=arguments.phase,
        precision=arguments.precision,
        run_ids=tuple(arguments.run_id),
    )
