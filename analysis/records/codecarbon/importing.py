"""Logs to records, with what a person says of them on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from analysis.records.codecarbon.config_names import ConfigFacts, facts_of, with_given
from analysis.records.codecarbon.find import LogFile
from analysis.records.codecarbon.read import LogOutcome, read_logs, reason_of
from analysis.records.codecarbon.rows import ForeignRun, run_id_of
from analysis.records.codecarbon.to_record import record_of
from metering.record import Record

SAME_LENGTH = 0.5
"""Runs that processed the same samples differ by no more in time, as a share of their median."""


@dataclass(frozen=True)
class Given:
    """What counts before a config's word; None leaves it. num_samples: that each run processed in
    `phase`; run_ids: the runs to import, all where empty."""

    model: str | None = None
    num_samples: int | None = None
    task: str | None = None
    data: str | None = None
    batch_size: int | None = None
    phase: str | None = None
    precision: str | None = None
    run_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Imported:
    """records: one a run; outcomes: one a file."""

    records: tuple[Record, ...]
    outcomes: tuple[LogOutcome, ...]


def import_logs(files: Sequence[LogFile], given: Given) -> Imported:
    """Records of the runs in `files`; a run that cannot be one is named in its file's outcome."""

    def facts(config: Path | None) -> ConfigFacts:
        config_facts = ConfigFacts() if config is None else facts_of(config)
        return with_given(
            config_facts,
            model=given.model,
            num_samples=given.num_samples,
            task=given.task,
            data=given.data,
            batch_size=given.batch_size,
            phase=given.phase,
            precision=given.precision,
        )

    logs = read_logs(files, facts, given.num_samples is not None, given.run_ids)
    outcomes = {outcome.path: outcome for outcome in logs.outcomes}
    groups: dict[tuple[str, str], list[ForeignRun]] = {}
    for run in logs.runs if given.num_samples is None else _without_odd_rates(logs.runs, outcomes):
        key = (run.path, run.logged.run_id) if run.logged.run_id else ("", run_id_of(run))
        groups.setdefault(key, []).append(run)
    records = []
    for runs in groups.values():
        try:
            records.append(record_of(runs))
        except ValueError as error:
            outcomes[runs[0].path].num_rows -= len(runs)
            outcomes[runs[0].path].left_out.append(reason_of(error))
    return Imported(tuple(records), logs.outcomes)


def _without_odd_rates(
    runs: Sequence[ForeignRun], outcomes: Mapping[str, LogOutcome]
) -> list[ForeignRun]:
    """A run of another length than its like did not process the samples that were given: it was
    cut off, or did something else. Its file's outcome says so."""
    groups: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        groups.setdefault((run.model, run.phase), []).append(run.logged.duration_s)
    kept = []
    for run in runs:
        middle = median(groups[run.model, run.phase])
        if abs(run.logged.duration_s / middle - 1) <= SAME_LENGTH:
            kept.append(run)
            continue
        note = (
            f"it took {run.logged.duration_s:.4g} s where its like took {middle:.4g} s, so not the "
            "samples that were given: no rate is made; `--run-id` imports it alone"
        )
        outcomes[run.path].flags.append(note)
        logged = replace(run.logged, has_rate=False)
        kept.append(replace(run, logged=logged, flags=(*run.flags, note)))
    return kept
