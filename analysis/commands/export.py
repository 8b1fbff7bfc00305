"""`python -m analysis export RUN... --to FORMAT`: reports that others ask for, from records."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from analysis.errors import AnalysisError, unknown
from analysis.export import huggingface
from analysis.export.formats import FORMATS
from analysis.export.from_record import run_facts
from analysis.export.projection import Projector
from analysis.export.report_facts import Export, RunFacts
from analysis.export.site_facts import ModelPage, SiteFacts, read_site_facts
from analysis.export.training import name_of
from analysis.named_folders import load_named, require_place, unpacked
from analysis.records.codecarbon.importing import Given, import_logs
from analysis.records.load import find_logs, find_records
from metering import atomic_file
from metering.record import RecordError
from metering.record_file import read

_WITHOUT_MODEL_PAGE = ("compute-report", "blocks")
"""Formats that use nothing of the site's `model`."""
_ATTEMPTS = "attempts"
"""Folder beside a record, with those of earlier attempts (docs/records.md)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", help="records, or folders with records or logs")
    parser.add_argument("--to", required=True, help=f"one of {', '.join(FORMATS)}")
    parser.add_argument("--facts", type=Path, help="YAML of what no record has (docs/exports.md)")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder, or file where the format has one file; "
        "default: one file goes to the terminal, several to exports/",
    )
    parser.add_argument(
        "--card",
        type=Path,
        help="huggingface: a README.md to write into, or to copy to --out with the block",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """What is left out is named on standard error."""
    if arguments.to not in FORMATS:
        raise unknown("--to", arguments.to, FORMATS)
    if arguments.out is not None:
        require_place(arguments.out)
    site = read_site_facts(arguments.facts) if arguments.facts else SiteFacts()
    runs = gather(arguments.runs)
    if arguments.to not in _WITHOUT_MODEL_PAGE:
        _check_model(runs, site)
    if arguments.card is not None:
        return _into_card(arguments, runs, site)
    made = FORMATS[arguments.to](runs, site)
    for name in made.left_out:
        print(f"left out {name}", file=sys.stderr)
    if not made.files:
        raise AnalysisError(f"--to {arguments.to}: no run has anything for it")
    _write(made, arguments.out)
    return 0


def _check_model(runs: Sequence[RunFacts], site: SiteFacts) -> None:
    """`model` in --facts is of one network. Raises `AnalysisError` for several."""
    networks = sorted({name_of(run, None) for run in runs if run.status == "finished"})
    if site.model != ModelPage() and len(networks) > 1:
        raise AnalysisError(
            f"--facts: model is of one network, and {', '.join(networks)} are given; name the "
            "runs of one, or leave model out"
        )


def gather(folders: Sequence[str]) -> list[RunFacts]:
    """Every run at or under `folders` once, failed ones too, oldest first. A log that the summary
    leaves out, and one that is a record too, is not among them. Raises `AnalysisError`."""
    loaded = load_named(folders)
    projector = Projector.of(loaded.frame)
    runs: dict[str, RunFacts] = {}
    folders = [unpacked(folder) for folder in folders]
    for path in find_records(folders, []):
        try:
            record = read(Path(path))
        except (RecordError, OSError):
            continue  # named by load_named
        if record.run_id not in runs:
            facts = run_facts(record, *projector.project(record, path))
            runs[record.run_id] = replace(facts, attempts=tuple(_attempts(Path(path))))
    used = {outcome.path for outcome in loaded.logs if outcome.verdict != "left out"}
    logs = [log for log in find_logs(folders) if str(log.path) in used]
    for record in import_logs(logs, Given()).records:
        if record.run_id not in runs:
            runs[record.run_id] = run_facts(record, None, ("a log has no recipe",))
    return sorted(runs.values(), key=_start)


def _attempts(path: Path) -> Iterator[RunFacts]:
    """Earlier attempts at the run of a record, which lie beside it."""
    for file in sorted((path.parent / _ATTEMPTS).glob("*.json")):
        try:
            yield run_facts(read(file))
        except (RecordError, OSError):
            continue  # an older version's file, or unreadable


def _start(run: RunFacts) -> tuple[float, str]:
    """Seconds, a time without a zone taken for UTC: offsets differ, so text does not sort."""
    try:
        moment = datetime.fromisoformat(run.started_at)
    except ValueError:
        return 0.0, run.started_at
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), run.run_id


def _into_card(arguments: argparse.Namespace, runs: Sequence[RunFacts], site: SiteFacts) -> int:
    if arguments.to != "huggingface":
        raise AnalysisError(f"--card is of --to huggingface, not of {arguments.to}")
    path: Path = arguments.card
    try:
        card = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AnalysisError(f"--card {path} cannot be read: {error}") from None
    new = huggingface.into_card(card, runs, site)
    for name in huggingface.emissions(runs, site)[1]:
        print(f"left out {name}", file=sys.stderr)
    out: Path | None = arguments.out
    if out is not None and (out.is_dir() or not out.suffix):
        out = out / path.name
    _write_file(out or path, new)
    print(f"wrote {huggingface.KEY} into {out or path}")
    return 0


def _write(made: Export, out: Path | None) -> None:
    """One file goes to the terminal, or to `out`; several into a folder."""
    if out is None and len(made.files) == 1:
        [content] = made.files.values()
        if isinstance(content, str):
            sys.stdout.write(content)
            return
    out = out or Path("exports")
    is_file = bool(out.suffix) and not out.is_dir()
    if is_file and len(made.files) > 1:
        raise AnalysisError(
            f"--out {out} is the name of one file, and there are {len(made.files)}; name a folder"
        )
    if is_file:
        targets = {out: next(iter(made.files.values()))}
    else:
        targets = {out / name: content for name, content in made.files.items()}
    for path, content in targets.items():
        _write_file(path, content)
    print(f"wrote {', '.join(map(str, targets))}")


def _write_file(path: Path, content: str | bytes) -> None:
    try:
        atomic_file.write(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise AnalysisError(
            f"{path} cannot be written: {error.strerror or error}; name another with --out"
        ) from None
