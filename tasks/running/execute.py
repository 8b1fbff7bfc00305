"""Execute one plan, unless it was measured already."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from metering.ranks import OneRank, Ranks
from metering.record import Record
from metering.setup import Found
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.protocol import Task
from tasks.running import attempts, earlier, host_check, this_machine
from tasks.running.attempt import Attempt, Outcome, empty_record

__all__ = [
    "Outcome",
    "answer_without_gpu",
    "empty_record",
    "execute",
    "finished",
    "finished_here",
    "reused",
]


def finished(plan: Plan, machine: Found | None = None) -> Record | None:
    """The record that answers this plan, if there is one (`tasks/running/earlier.py`). machine:
    this one, as `this_machine.machine` gives it; without it the machine is not compared."""
    answer = earlier.find(plan, machine)
    return answer.record if answer is not None and not answer.missing else None


def finished_here(plan: Plan) -> Record | None:
    """`finished` on this machine, for whoever supervises runs. Where a GPU would be used the
    machine is not compared: that takes a device, and the run itself compares it."""
    return finished(plan, _machine_without_gpu(plan))


def answer_without_gpu(plan: Plan) -> Outcome | None:
    """The outcome of a plan that was measured on this machine, where that is known without a
    device; None where a process of the run's own has to look."""
    machine = _machine_without_gpu(plan)
    known = None if plan.force or machine is None else earlier.find(plan, machine)
    if known is None or known.missing or known.path.parent.name == attempts.ATTEMPTS:
        return None
    return reused(known.record, known.path.parent, plan)


def _machine_without_gpu(plan: Plan) -> Found | None:
    return this_machine.machine_without_gpu(plan.hardware, _task(plan).STEP_VERSION)


def _task(plan: Plan) -> Task:
    return cast(Task, importlib.import_module(f"tasks.{plan.task}.session"))


def execute(
    plan: Plan,
    ranks: Ranks | None = None,
    say: Callable[[Any], None] = lambda _: None,
    remarks: Sequence[str] = (),
) -> Outcome:
    """Run `plan` once and leave its record; a finished one is not run again unless forced.

    A failure is a record too and is returned, not raised. `PlanError` (for the user to correct)
    and `KeyboardInterrupt` are recorded and raised. Only rank 0 writes. `remarks` are notes
    of whoever started the run. Collective.
    """
    ranks = ranks or OneRank()
    task = _task(plan)
    problems = list(task.check(plan))
    if problems:
        raise PlanError(problems[0])
    with _alone(plan.folder, ranks):
        machine = None if ranks.rank else this_machine.machine(plan.hardware, task.STEP_VERSION)
        known = None if plan.force or ranks.rank else earlier.find(plan, machine)
        known = ranks.broadcast(known)
        if known is not None and not known.missing:
            return _answer(known, plan, ranks)
        host_check.require(plan.hardware, ranks)
        if ranks.rank == 0:
            attempts.sweep_drafts(plan.folder)
            if machine is not None:
                earlier.leave_other_machine(plan.folder, machine)
            attempts.put_aside(plan.folder)
        return Attempt(task, plan, ranks, say, remarks, known).run()


def _answer(known: earlier.Earlier, plan: Plan, ranks: Ranks) -> Outcome:
    """The earlier record; one that an attempt put aside, and then failed, takes its place again."""
    folder = known.path.parent
    if folder.name == attempts.ATTEMPTS:
        folder = plan.folder
        if ranks.rank == 0:
            attempts.put_aside(folder)
            known.path.replace(folder / attempts.FILE_NAME)
    return reused(known.record, folder, plan)


def reused(record: Record, folder: Path, plan: Plan) -> Outcome:
    """The outcome of a plan that `record` answers. A recipe decides nothing about a measurement, so
    a record answers for another one too, and that is said."""
    note = "its record keeps the recipe it was measured with; force=true measures it with this one"
    return Outcome(record, folder, True, "" if record.recipe == plan.model.recipe else note)


def _alone(folder: Path, ranks: Ranks) -> AbstractContextManager[Any]:
    """Of two submitters of one identity the second waits, and finds it finished."""
    if ranks.rank:
        return nullcontext()
    _make_folder(folder)
    return FileLock(folder / ".lock")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"no permission to write in {folder}")
    except OSError as error:
        raise PlanError(
            f"output_dir cannot be written: {error}; set output_dir=FOLDER to one that can"
        ) from None
