"""The lines of one run: its total, and the tasks that were metered within it.

A tracker writes a line at each `flush()` and at `stop()`, each with the total up to then, so the
last one counts. `start_task` and `stop_task` give lines of their own (`task_name`), which share
the `run_id` of the total that holds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis.records.codecarbon.energy_faults import NO_PUE
from analysis.records.codecarbon.parse import Line
from analysis.records.codecarbon.quantities import Logged, logged
from metering.record import RecordError

LEAST_GAP_S = 10.0
"""Time stamps are in whole seconds, and a second `stop()` comes soon."""
Kind = Literal["train", "test", "other"]
_TRAIN = re.compile("train(ing|er)?|fit(ting)?|pretrain(ing)?|finetun(e|ing)")
_TEST = re.compile(
    "test(ing)?|eval(uate|uation|uating)?|infer(ence)?|predict(ing|ions?)?|val(idate|idation)?"
)
_OTHER = re.compile(
    "load(ing|er)?|dataloader|data(sets?)?|build(ing)?|init(ialize)?|setup|prepar(e|ation)|"
    "preprocess(ing)?|download|sav(e|ing)|export|plot"
)


@dataclass(frozen=True)
class RunLog:
    """path: of the file; total: of the whole run, `None` where only tasks were written; tasks:
    in the file's order; flags: of the run's lines."""

    path: str
    run_id: str
    total: Logged | None
    tasks: tuple[Logged, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def any(self) -> Logged:
        """A line that stands for the run: its time, its hardware."""
        return self.total or self.tasks[-1]


def runs_of(path: str, lines: Sequence[Line]) -> tuple[list[RunLog], list[str]]:
    """The runs of one file, in its order, and for each line left out what is wrong with it."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        run_id = line.text("run_id") or line.text("experiment_id") or f"line {line.number}"
        groups.setdefault(run_id, []).append(line)
    runs: list[RunLog] = []
    problems: list[str] = []
    for run_id, group in groups.items():
        pue = _pue_of(group)
        entries: list[Logged] = []
        lost: list[Line] = []
        for line in group:
            try:
                entries.append(logged(line, pue))
                lost = [
                    part for part in lost if part.text("task_name")
                ]  # a later total has the rest
            except RecordError as error:
                problems.append(f"line {line.number}: {error}")
                lost.append(line)
        if entries:
            runs.append(_run(path, run_id, entries, [line.number for line in lost]))
    return runs, problems


def joined(runs: Iterable[RunLog]) -> list[RunLog]:
    """Lines of one run in several files (its total in one, its tasks in another) as one run."""
    by_id: dict[str, RunLog] = {}
    for run in runs:
        known = by_id.get(run.run_id)
        if known is None or not run.any.run_id:
            by_id[run.run_id if run.any.run_id else f"{run.path}: {run.run_id}"] = run
            continue
        totals = [entry for entry in (known.total, run.total) if entry is not None]
        total = max(totals, key=lambda entry: entry.duration_s) if totals else None
        tasks = (*known.tasks, *(task for task in run.tasks if task not in known.tasks))
        flags = (*known.flags, *run.flags)
        by_id[run.run_id] = RunLog(known.path, run.run_id, total, _with_pue(tasks, total), flags)
    return list(by_id.values())


def of_phases(run: RunLog, phase: str) -> tuple[dict[str, Logged], tuple[str, ...]]:
    """What `run` used in each phase, by its name, and what to know; phase: the one that the run
    as a whole was, where its tasks do not say."""
    if not run.tasks:
        return {phase: run.any}, run.flags
    kinds = {task: kind_of(task.task_name) for task in run.tasks}
    phases = {
        name: _sum([task for task, kind in kinds.items() if kind == name])
        for name in ("train", "test")
        if name in kinds.values()
    }
    if not phases and len(run.tasks) == 1:
        return {phase: run.tasks[0]}, (
            *run.flags,
            f"its only task, '{run.tasks[0].task_name}', is taken as the {phase} phase",
        )
    others = [task for task, kind in kinds.items() if kind == "other"]
    names = ", ".join(f"'{task.task_name}' ({task.energy_kwh:.3g} kWh)" for task in others)
    if not phases:
        whole = run.total or _sum(run.tasks)
        note = f"no task is named as training or testing: no rate is made ({names})"
        return {phase: replace(whole, has_rate=False)}, (*run.flags, note)
    note = f"tasks that are not in the rate: {names}"
    return phases, (*run.flags, *((note,) if others else ()))


def kind_of(name: str) -> Kind:
    """What a task, a project or a file was for, by the words of its name."""
    words = re.findall("[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    before = words[: words.index("on")] if "on" in words else []
    if any(_TRAIN.fullmatch(word) or _TEST.fullmatch(word) for word in before):
        words = before  # `train on dataset x`
    if "fine" in words and ("tune" in words or "tuning" in words):
        words.append("finetune")
    if any(map(_OTHER.fullmatch, words)):
        return "other"
    trains = any(map(_TRAIN.fullmatch, words))
    if trains == any(map(_TEST.fullmatch, words)):
        return "other"
    return "train" if trains else "test"


def _run(path: str, run_id: str, entries: list[Logged], lost: Sequence[int]) -> RunLog:
    """lost: numbers of its lines that were left out and are in no later total."""
    totals = [entry for entry in entries if not entry.task_name]
    tasks = tuple(dict.fromkeys(entry for entry in entries if entry.task_name))
    flags: list[str] = []
    total = None
    if len(totals) + len(tasks) < len(entries):
        flags.append("lines of a task that are the same to the last digit count once")
    if lost:
        numbers = ", ".join(map(str, lost))
        flags.append(f"line {numbers} of this run is left out, so a part is: no rate is made")
    if totals:
        total = max(reversed(totals), key=lambda entry: entry.duration_s)
        if len(totals) > 1:
            flags.append(f"flushed: {len(totals)} lines of one run, each a total: the last counts")
        if any(earlier.energy_kwh > total.energy_kwh * 1.001 for earlier in totals):
            flags.append(
                "an earlier line has more energy than the last: lines may be of several runs, and "
                "no rate is made"
            )
            total = replace(total, has_rate=False)
        elif _are_parts(totals):
            flags.append(
                f"its {len(totals)} lines are further apart than their durations tell, so each may "
                "be a part and no total up to then: no rate is made"
            )
            total = replace(total, has_rate=False)
    if total is not None and sum(task.energy_kwh for task in tasks) > total.energy_kwh * 1.01:
        flags.append("its tasks add up to more than its total: which is right is not known")
    if lost:
        total = None if total is None else replace(total, has_rate=False)
        tasks = tuple(replace(task, has_rate=False) for task in tasks)
    return RunLog(path, run_id, total, tasks, tuple(flags))


def _are_parts(totals: Sequence[Logged]) -> bool:
    """Whether lines of a run are of one part each, as CodeCarbon's API keeps them: more time passed
    from the first to the last than their durations grew by."""
    timed = sorted(
        (total for total in totals if total.end_s is not None), key=lambda total: total.end_s or 0.0
    )
    if len(timed) < 2:
        return False
    passed_s = (timed[-1].end_s or 0.0) - (timed[0].end_s or 0.0)
    return passed_s > LEAST_GAP_S and timed[-1].duration_s - timed[0].duration_s < passed_s / 2


def _pue_of(group: Sequence[Line]) -> float | None:
    for line in group:
        try:
            pue = line.number_of("pue")
        except RecordError:
            continue
        if pue is not None:
            return pue
    return None


def _with_pue(tasks: tuple[Logged, ...], total: Logged | None) -> tuple[Logged, ...]:
    """Task files have no column for the PUE by which their energies were multiplied too."""
    if total is not None:
        wrong = tuple(flag for flag in total.flags if flag.endswith(NO_PUE))
        tasks = tuple(
            replace(task, has_rate=False, flags=(*task.flags, *wrong))
            if wrong and not set(wrong) <= set(task.flags)
            else task
            for task in tasks
        )
    if total is None or total.pue == 1:
        return tasks
    return tuple(task if task.pue != 1 else _divided(task, total.pue) for task in tasks)


def _divided(task: Logged, pue: float) -> Logged:
    def part(value: float | None) -> float | None:
        return None if value is None else value / pue

    return replace(
        task,
        energy_kwh=task.energy_kwh / pue,
        gpu_kwh=part(task.gpu_kwh),
        cpu_kwh=part(task.cpu_kwh),
        ram_kwh=part(task.ram_kwh),
        emissions_kg_co2eq=part(task.emissions_kg_co2eq),
        pue=pue,
        flags=(*task.flags, f"pue {pue:g} of its run is divided out"),
    )


def _sum(tasks: Sequence[Logged]) -> Logged:
    """One after the other: times and energies add."""
    first, last = tasks[0], tasks[-1]
    if len(tasks) == 1:
        return first
    return replace(
        with_energies_of(tasks, last),
        task_name=", ".join(task.task_name for task in tasks),
        start_s=first.start_s,
        duration_s=sum(task.duration_s for task in tasks),
        has_rate=all(task.has_rate for task in tasks),
        flags=tuple(dict.fromkeys(flag for task in tasks for flag in task.flags)),
    )


def with_energies_of(parts: Sequence[Logged], whole: Logged) -> Logged:
    """`whole` with the sums of all parts' energies (kWh) and emissions (kg); None where one of them
    has none."""

    def total(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    return replace(
        whole,
        energy_kwh=sum(part.energy_kwh for part in parts),
        gpu_kwh=total([part.gpu_kwh for part in parts]),
        cpu_kwh=total([part.cpu_kwh for part in parts]),
        ram_kwh=total([part.ram_kwh for part in parts]),
        emissions_kg_co2eq=total([part.emissions_kg_co2eq for part in parts]),
    )
