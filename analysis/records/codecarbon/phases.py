"""The phases of all runs that one config belongs to: one run, its ranks, or several runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.records.codecarbon import ranks, tasks
from analysis.records.codecarbon.config_names import ConfigFacts
from analysis.records.codecarbon.quantities import Logged
from analysis.records.codecarbon.tasks import RunLog


@dataclass(frozen=True)
class Whole:
    """each_run: what is said of samples holds for each run of a config; alone: each run was named
    and is a whole one, whatever its file is called."""

    each_run: bool
    alone: bool


AT_ONCE = (
    "it ran at the same time as another run of its file: they may be ranks of one run, or a run "
    "and a part of it, or each may hold what the other used; no rate is made; `python -m analysis "
    "import FOLDER --run-id ID` takes a run for a whole one"
)
_OF_ONE_CONFIG = "{} runs and one config, which cannot say the samples of each: no rate is made"
FoundPhase = tuple[str, str, Logged, tuple[str, ...]]
"""Path, phase, what was used, and flags."""


def phases_of(runs: Sequence[RunLog], facts: ConfigFacts, whole: Whole) -> list[FoundPhase]:
    """Path, phase, what was used, and flags. One run; the ranks of one run; runs of which each
    is named after another phase; else several runs, of which no rate is made."""
    counts = not whole.alone and ranks.count_devices(runs)
    groups = None if whole.alone or counts else ranks.by_process(runs)
    if groups is not None:
        note = _OF_ONE_CONFIG.format(len(groups))
        made = [phase for group in groups for phase in _ranks(group, facts)]
        return made if len(groups) == 1 or whole.each_run else _without_rates(made, note)
    kinds = [_kind(run) for run in runs]
    if len(runs) > 1 and "other" not in kinds and len(set(kinds)) == len(kinds):
        return [
            (run.path, phase, logged, flags)
            for run, kind in zip(runs, kinds, strict=True)
            for phase, logged, flags in _of_one_process(run, kind)
        ]
    phases = [(run.path, *phase) for run in runs for phase in _of_one_process(run, facts.phase)]
    notes = (ranks.COUNTED,) if counts else ()
    phases = [
        (path, name, _of_all(logged, facts), (*flags, *notes))
        for path, name, logged, flags in phases
    ]
    if len(runs) == 1:
        return phases
    if not whole.each_run:
        return _without_rates(phases, _OF_ONE_CONFIG.format(len(runs)))
    if whole.alone:
        return phases
    at_once = ranks.at_once(runs)
    return [
        phase if phase[2].run_id not in at_once else _without_rate(phase, AT_ONCE)
        for phase in phases
    ]


def _without_rates(phases: Sequence[FoundPhase], note: str) -> list[FoundPhase]:
    return [_without_rate(phase, note) for phase in phases]


def _without_rate(phase: FoundPhase, note: str) -> FoundPhase:
    path, name, logged, flags = phase
    return path, name, replace(logged, has_rate=False), (*flags, note)


def _of_all(logged: Logged, facts: ConfigFacts) -> Logged:
    """`logged` without a rate where the config has more devices than the log lists; where it has
    fewer, what others used may be in it."""
    wanted = facts.num_processes
    if wanted is None or logged.num_gpus in (0, wanted):
        return logged
    which = f"the config has {wanted} devices, and the log lists {logged.num_gpus}"
    if logged.num_gpus < wanted:
        return replace(logged, has_rate=False, flags=(*logged.flags, f"{which}: no rate is made"))
    note = f"{which}: what the others used, idle or by another job, is in it"
    return replace(logged, flags=(*logged.flags, note))


def _of_one_process(run: RunLog, phase: str) -> list[tuple[str, Logged, tuple[str, ...]]]:
    phases, flags = tasks.of_phases(run, phase)
    return [(name, logged, flags) for name, logged in phases.items()]


def _ranks(group: ranks.Processes, facts: ConfigFacts) -> list[FoundPhase]:
    by_phase: dict[str, list[tuple[RunLog, Logged]]] = {}
    flags: list[str] = []
    for run in group.runs:
        for name, logged, notes in _of_one_process(run, facts.phase):
            by_phase.setdefault(name, []).append((run, logged))
            flags += [note for note in notes if note not in flags]
    made = []
    for name, parts in by_phase.items():
        paths = [run.path for run, _ in parts]
        logs = [logged for _, logged in parts]
        total = ranks.added(paths, logs, group.missing, facts.num_processes)
        made.append((paths[0], name, _of_all(total, facts), tuple(flags)))
    return made


def _kind(run: RunLog) -> tasks.Kind:
    """Which phase a run's project, file or folder is named after."""
    path = Path(run.path)
    kinds = map(tasks.kind_of, (run.any.project_name, path.stem, path.parent.name))
    return next((kind for kind in kinds if kind != "other"), "other")
