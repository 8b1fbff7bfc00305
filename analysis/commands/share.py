"""`python -m analysis share RUN... --out FILE`: a bundle without names, to give away."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.named_folders import load_named, require_place, unpacked, with_bundle_names
from analysis.records.load import Problem, find_records, reason_of
from analysis.share.anonymise import anonymised, names_here
from analysis.share.bundle import write_bundle
from analysis.share.folders import write_folders
from metering.record import Record, RecordError
from metering.record_file import read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", help="records, or folders with records")
    parser.add_argument("--out", type=Path, required=True, help="file; .gz compresses it")
    parser.add_argument(
        "--folders",
        action="store_true",
        help="OUT is a folder, in which each record has one of its own as a run leaves it",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """A record that would still name a host, a user or a path is left out, by name."""
    require_place(arguments.out)
    load_named(arguments.runs)
    records: dict[str, Record] = {}
    names = names_here()
    for path in find_records([unpacked(folder) for folder in arguments.runs], []):
        try:
            record = anonymised(read(Path(path)), names)
        except (RecordError, OSError) as error:
            problem = Problem(with_bundle_names(path), reason_of(error))
            print(f"left out {problem}", file=sys.stderr)
            continue
        if record.run_id in records:
            place = with_bundle_names(path)
            print(f"left out {place}: its run is in the bundle already", file=sys.stderr)
        records.setdefault(record.run_id, record)
    if not records:
        raise AnalysisError(
            "no record to share; logs become records with `python -m analysis import`"
        )
    try:
        if arguments.folders:
            write_folders(records.values(), arguments.out)
        else:
            write_bundle(list(records.values()), arguments.out)
    except OSError as error:
        raise AnalysisError(
            f"--out {arguments.out} cannot be written: {error.strerror or error}"
        ) from None
    print(f"wrote {len(records)} records to {arguments.out}, without hosts, users, paths and UUIDs")
    return 0
