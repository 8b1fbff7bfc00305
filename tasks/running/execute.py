"""Execute one plan: prepare, meter, write the record. Every way a run can end passes here."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import os
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from metering.deferred_signals import deferred_signals
from metering.meter import Meter
from metering.ranks import OneRank, Ranks
from metering.record import (
    FILE_NAME,
    Failure,
    ModelFacts,
    Overhead,
    Phase,
    PhaseRecord,
    Record,
    RecordError,
    Status,
)
from metering.record_file import read, write
from metering.record_host import Code, Host
from metering.setup import Found, SetUp
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.protocol import Session, Task
from tasks.running import attempts, checkpoint_write, device, ending, found, host_check


@dataclass(frozen=True)
class Outcome:
    """What became of a run. `reused`: it was finished before and not measured again."""

    record: Record
    folder: Path
    reused: bool = False


class _Draft:
    """What is known of a run so far, so that a failure keeps what was measured."""

    def __init__(self, remarks: Sequence[str]) -> None:
        self.started_at = _now()
        self.remarks = tuple(remarks)
        self.facts = ModelFacts()
        self.notes: tuple[str, ...] = ()
        self.meter_facts: dict[str, Any] = {}
        self.found: Found | None = None
        self.phases: dict[Phase, PhaseRecord] = {}
        self.overheads: list[Overhead] = []


def finished(plan: Plan) -> Record | None:
    """The finished record of this plan's identity, if there is one."""
    try:
        record = read(plan.folder / FILE_NAME)
    except (OSError, RecordError):
        return None
    return record if record.status == "finished" else None


def execute(
    plan: Plan,
    ranks: Ranks | None = None,
    say: Callable[[Any], None] = lambda _: None,
    remarks: Sequence[str] = (),
) -> Outcome:
    """Run `plan` once and leave its record; a finished one is not run again unless forced.

    A failure is a record too and is returned, not raised. `PlanError` (the user's to mend)
    and `KeyboardInterrupt` are recorded and raised. Only rank 0 writes. `remarks` are notes
    of whoever started the run. Collective.
    """
    ranks = ranks or OneRank()
    task = cast(Task, importlib.import_module(f"tasks.{plan.task}.session"))
    problems = list(task.check(plan))
    if problems:
        raise PlanError(problems[0])
    with _alone(plan.folder, ranks):
        done = ranks.broadcast(None if plan.force or ranks.rank else finished(plan))
        if done is not None:
            return Outcome(done, plan.folder, reused=True)
        host_check.require(plan.hardware, ranks)
        if ranks.rank == 0:
            attempts.sweep_drafts(plan.folder)
            attempts.put_aside(plan.folder)
        return _attempt(task, plan, ranks, say, _Draft(remarks))


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


def _attempt(
    task: Task, plan: Plan, ranks: Ranks, say: Callable[[Any], None], draft: _Draft
) -> Outcome:
    raised: BaseException | None = None
    with _log_file(plan.folder / "run.log", ranks):
        try:
            _measure(task, plan, ranks, say, draft)
        except BaseException as error:
            # what follows takes a moment: a signal that comes in it loses nothing of the record
            with deferred_signals() as arrived:
                status, raised = ending.judged(error, plan, ranks, say, arrived)
                outcome = _leave_record(plan, ranks, draft, status, _failure(error, ranks))
        else:
            with deferred_signals():
                outcome = _leave_record(plan, ranks, draft, "finished")
    if raised is not None:
        raise raised
    return outcome


def _leave_record(
    plan: Plan, ranks: Ranks, draft: _Draft, status: Status, failure: Failure | None = None
) -> Outcome:
    record = _record(plan, status, draft, failure)
    if ranks.rank == 0:
        write(record, plan.folder)
    return Outcome(record, plan.folder)


def _measure(
    task: Task, plan: Plan, ranks: Ranks, say: Callable[[Any], None], draft: _Draft
) -> None:
    device.set_threads(plan.hardware.num_threads)
    with Meter(
        plan.meter,
        folder=plan.folder,
        ranks=ranks,
        use_gpu=device.uses_gpu(plan.hardware.accelerator),
        num_gpus=plan.hardware.devices,
        country_iso_code=plan.hardware.country_iso_code,
        say=say,
    ) as meter:
        draft.meter_facts, draft.overheads = meter.facts(), meter.overheads
        if ranks.rank == 0:
            draft.found = found.on_this_machine(
                meter.all_gpus, plan.hardware.nodes, meter.sensors()
            )
        with meter.overhead("set-up"):
            session = task.prepare(plan, ranks, say)
            meter.synchronize = session.synchronize
        meter.require_devices(device.uuid(plan.hardware.accelerator, ranks.local_rank))
        draft.facts, draft.notes = session.facts, session.notes
        try:
            meter.idle()
            for phase in plan.phases:
                _phase(cast(Phase, phase), session, plan, meter, say, draft)
            draft.notes = session.notes
            if "train" in plan.phases and plan.checkpoint_write and ranks.rank == 0:
                draft.notes = (*draft.notes, *checkpoint_write.metered(session, meter, plan.folder))
        finally:
            session.close()


def _phase(
    phase: Phase, session: Session, plan: Plan, meter: Meter, say: Callable[[Any], None],
    draft: _Draft,
) -> None:  # fmt: skip
    say(f"{plan.model.name}: {phase}")
    device.reset_peak_memory(plan.hardware.accelerator)
    try:
        with meter.window(phase, batch_size=plan.batch_size) as window:
            window.open()
            outcome = (session.train if phase == "train" else session.test)(window)
    finally:
        # of a run that fails too: the record's status tells that it is a part
        draft.phases[phase] = window.so_far()
    result = window.result()
    draft.phases[phase] = dataclasses.replace(
        result,
        quality=outcome.quality,
        views_per_sample=outcome.views_per_sample,
        flags=(*result.flags, *outcome.flags),
        peak_memory_mib=session.peak_memory_mib(),
    )


def _record(plan: Plan, status: Status, draft: _Draft, failure: Failure | None) -> Record:
    from metering.code_version import code_version
    from metering.host import host_facts

    # an interrupted attempt tells of itself alone: the one that comes after adds them up
    earlier = () if status == "interrupted" else attempts.interrupted_cost(plan.folder)
    bare = empty_record(plan, status, draft.started_at, failure)
    return dataclasses.replace(
        bare,
        setup=SetUp(bare.setup.asked, draft.found),
        code=Code(**code_version()),
        host=Host(**host_facts(), **draft.meter_facts),
        facts=draft.facts,
        phases=draft.phases,
        overheads=(*draft.overheads, *earlier),
        notes=(*draft.notes, *draft.remarks),
    )


def empty_record(
    plan: Plan, status: Status, started_at: str, failure: Failure | None = None
) -> Record:
    """What a record takes from its plan alone; nothing measured, no host."""
    return Record(
        run_id=uuid.uuid4().hex,
        status=status,
        setup=SetUp(plan.asked),
        paper_row=plan.model.paper_row,
        hardware=plan.hardware.name,
        started_at=started_at,
        ended_at=_now(),
        config=dataclasses.asdict(plan) | {"output_dir": str(plan.output_dir)},
        recipe=plan.model.recipe,
        failure=failure,
    )


def _failure(error: BaseException, ranks: Ranks) -> Failure:
    return Failure(
        type=type(error).__name__,
        message=str(error),
        traceback="".join(traceback.format_exception(error)),
        rank=ranks.rank if ranks.num_ranks > 1 else None,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def _log_file(path: Path, ranks: Ranks) -> Iterator[None]:
    """Everything that libraries log goes to the run's own file, and not to the terminal."""
    if ranks.rank:
        yield
        return
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
