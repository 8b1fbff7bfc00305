"""All logs that a walk came by: rows, and of each file whether it was used, flagged or left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from analysis.records.codecarbon import match, ranks, tasks
from analysis.records.codecarbon.config_names import ConfigFacts, facts_of
from analysis.records.codecarbon.find import LogFile
from analysis.records.codecarbon.parse import parsed
from analysis.records.codecarbon.phases import Whole, phases_of
from analysis.records.codecarbon.rows import ForeignRun, foreign_run, label_of
from analysis.records.codecarbon.tasks import RunLog
from metering.record import RecordError

Verdict = Literal["used", "flagged", "left out"]
IMPORT = "python -m analysis import FOLDER --samples N --model NAME"
NO_CONFIG = f"no .hydra/config.yaml beside it, above it or below it; `{IMPORT}` reads it"
_NO_PROJECT = ("", "codecarbon")
"""What a log says where nobody named its project."""


@dataclass
class LogOutcome:
    """What became of one file. flags: of what was used; left_out: of the file, or of lines and
    runs of it, why; num_rows: that it gave."""

    path: str
    num_rows: int = 0
    flags: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        if not self.num_rows:
            return "left out"
        return "flagged" if self.flags or self.left_out else "used"


@dataclass(frozen=True)
class Logs:
    """runs: one a phase; outcomes: one a file, by path."""

    runs: tuple[ForeignRun, ...]
    outcomes: tuple[LogOutcome, ...]


@dataclass(frozen=True)
class _Placed:
    """A run and the config that it belongs to; `None` where there is none."""

    run: RunLog
    config: Path | None
    notes: tuple[str, ...] = ()


FactsOf = Callable[[Path | None], ConfigFacts | None]
"""Of a config's path, or of none; None where a run without a config cannot be used."""


def of_config(config: Path | None) -> ConfigFacts | None:
    return None if config is None else facts_of(config)


def read_logs(
    files: Sequence[LogFile],
    config_facts: FactsOf = of_config,
    each_run: bool = False,
    run_ids: Sequence[str] = (),
) -> Logs:
    """each_run: what `config_facts` says of samples holds for each run of a config; otherwise
    several runs of one have no rate. run_ids: of the runs to read, each a whole one; all where
    empty."""
    outcomes = {str(file.path): LogOutcome(str(file.path)) for file in files}
    later = {file.config for file in files if file.config is not None and not file.is_backup}
    groups: dict[tuple[Path | None, str], list[_Placed]] = {}
    for file in files:
        home = "" if file.config is not None else str(ranks.home_of(file.path))
        is_superseded = file.is_backup and file.config in later
        runs_of_file = _placed(file, outcomes[str(file.path)], is_superseded)
        for placed in _wanted(runs_of_file, run_ids, outcomes):
            place = "" if placed.config is not None else home
            alone = placed.run.run_id if run_ids else ""
            groups.setdefault((placed.config, place + alone), []).append(placed)
    runs: list[ForeignRun] = []
    for (config, _), group in groups.items():
        facts = _facts(config, group, config_facts, outcomes)
        if facts is not None:
            is_job = all(ranks.is_of_job(placed.run.path, config) for placed in group)
            whole = Whole(each_run, alone=bool(run_ids) or is_job)
            runs += _of_config(config, group, facts, outcomes, whole)
    runs = _once(runs, outcomes)
    for run in runs:
        outcome = outcomes[run.path]
        outcome.num_rows += 1
        outcome.flags += [flag for flag in run.flags if flag not in outcome.flags]
    return Logs(tuple(runs), tuple(outcomes[path] for path in sorted(outcomes)))


def _placed(file: LogFile, outcome: LogOutcome, is_superseded: bool) -> list[_Placed]:
    """The runs of one file, each with its config; is_superseded: by a later log of its config."""
    try:
        log = parsed(file.path.read_bytes())
    except Exception as error:  # whatever a stranger's file makes a reader raise
        outcome.left_out.append(reason_of(error))
        return []
    if is_superseded:
        outcome.left_out.append(
            "a backup that CodeCarbon made when its columns changed, of earlier runs than the "
            "config's; `python -m analysis import FILE --samples N --model NAME` reads it"
        )
        return []
    outcome.left_out += log.problems
    outcome.flags += log.notes
    runs, problems = tasks.runs_of(str(file.path), log.lines)
    outcome.left_out += problems
    runs = [_without_rate(run) if run.run_id in log.cut_run_ids else run for run in runs]
    if file.config is not None:
        return [_Placed(run, file.config) for run in runs]
    if not file.candidates:
        return [_Placed(run, None) for run in runs]
    placed = []
    for run, config in zip(runs, match.by_time(runs, file.candidates), strict=True):
        of_time = run.any.ended_at or "it has none"
        notes: tuple[str, ...] = (
            f"none of {len(file.candidates)} configs below it, or several, fit its time "
            f"({of_time}); `{IMPORT}` reads it",
        )
        if config is not None:
            folder = config.parent.parent
            notes = (f"no .hydra beside it: matched by time with {'/'.join(folder.parts[-3:])}",)
        placed.append(_Placed(run, config, notes))
    return placed


def _wanted(
    placed: Sequence[_Placed], run_ids: Sequence[str], outcomes: dict[str, LogOutcome]
) -> list[_Placed]:
    wanted = [
        placed_run for placed_run in placed if not run_ids or placed_run.run.run_id in run_ids
    ]
    if placed and not wanted:
        outcomes[placed[0].run.path].left_out.append("none of its runs was asked for")
    return wanted


def _without_rate(run: RunLog) -> RunLog:
    """A run of which a line is cut off: a part is left, and the samples are of the whole."""
    total = None if run.total is None else replace(run.total, has_rate=False)
    parts = tuple(replace(task, has_rate=False) for task in run.tasks)
    note = "a line of it was cut off, so that a part of the run is left: no rate is made"
    return replace(run, total=total, tasks=parts, flags=(*run.flags, note))


def _facts(
    config: Path | None,
    group: Sequence[_Placed],
    config_facts: FactsOf,
    outcomes: dict[str, LogOutcome],
) -> ConfigFacts | None:
    """What the config says; None, with the reason in each file's outcome, where it cannot be."""
    reason = NO_CONFIG
    try:
        facts = config_facts(config)
    except (RecordError, OSError) as error:
        facts, reason = None, reason_of(error)
        if config is not None:  # one of several may be meant
            where = os.path.relpath(config, Path(group[0].run.path).parent)
            reason = f"{where}: {reason}"
    if facts is None:
        for placed in group:
            left_out = outcomes[placed.run.path].left_out
            why = placed.notes[0] if config is None and placed.notes else reason
            if why not in left_out:
                left_out.append(why)
    return facts


def _of_config(
    config: Path | None,
    group: Sequence[_Placed],
    facts: ConfigFacts,
    outcomes: dict[str, LogOutcome],
    whole: Whole,
) -> list[ForeignRun]:
    """The phases of all runs that one config belongs to."""
    runs = tasks.joined(placed.run for placed in group)
    notes = tuple(dict.fromkeys(note for placed in group for note in placed.notes))
    phases = phases_of(runs, facts, replace(whole, each_run=whole.each_run or config is None))
    made: list[ForeignRun] = []
    for path, phase, logged, flags in phases:
        folder = Path(path).parent if config is None else config.parent.parent
        project = logged.project_name if config is None else ""
        label = label_of(folder) if project in _NO_PROJECT else project
        try:
            made.append(foreign_run(path, logged, facts, phase, (*notes, *flags), label))
        except RecordError as error:
            outcomes[path].left_out.append(str(error))
    for placed in group:
        _say_joined(placed.run, made, outcomes)
    return made


def _say_joined(run: RunLog, made: Sequence[ForeignRun], outcomes: dict[str, LogOutcome]) -> None:
    """A file whose lines are in another's row (ranks, tasks) is used, and says where."""
    if made and all(foreign.path != run.path for foreign in made):
        outcome = outcomes[run.path]
        outcome.num_rows += 1
        where = os.path.relpath(made[0].path, Path(run.path).parent)
        note = f"counted in the row of {where}"
        if note not in outcome.flags:
            outcome.flags.append(note)


def _once(runs: Sequence[ForeignRun], outcomes: dict[str, LogOutcome]) -> list[ForeignRun]:
    """A run that lies in two folders (a copy, or what it had written when it was copied) counts
    once: where it is longest."""
    longest: dict[tuple[str, str], ForeignRun] = {}
    for run in runs:
        key = run.logged.run_id, run.phase
        known = longest.setdefault(key, run)
        if run.logged.duration_s > known.logged.duration_s:
            longest[key] = run
    kept = []
    for run in runs:
        first = longest[run.logged.run_id, run.phase]
        if not run.logged.run_id or run is first or run.path == first.path:
            kept.append(run)
            continue
        outcomes[run.path].left_out.append(f"{_relation(run, first)} {first.path}")
    return kept


def _relation(run: ForeignRun, first: ForeignRun) -> str:
    """What a run is to the one of its id that counts."""
    logged, other = run.logged, first.logged
    if (logged.ended_at, logged.duration_s) != (other.ended_at, other.duration_s):
        return "an earlier state of the run in"
    if logged.energy_kwh != other.energy_kwh:
        return "one of the two was changed: it has another energy than the same run in"
    return "the same run as in"


def reason_of(error: Exception) -> str:
    """Why a file was left out, in one line."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    message = " ".join(str(error).split())[:300]
    return message if isinstance(error, RecordError) else f"{type(error).__name__}: {message}"
