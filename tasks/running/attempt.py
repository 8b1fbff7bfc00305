"""One attempt at a run: what it knows so far, and the record that it leaves however it ends."""

from __future__ import annotations

import dataclasses
import logging
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, cast

from metering import scheduler, stop_flag, stopped
from metering.deferred_signals import deferred_signals
from metering.meter import Meter
from metering.progress import PhaseBegun
from metering.ranks import Ranks
from metering.record import (
    Failure,
    ModelFacts,
    Overhead,
    Phase,
    PhaseRecord,
    Record,
    Status,
)
from metering.record_file import write
from metering.record_host import Code, Host
from metering.setup import Found, SetUp
from tasks.plan import Plan
from tasks.protocol import Session, Task
from tasks.running import attempts, checkpoint_write, continuation, device, ending, os_errors
from tasks.running.earlier import Earlier, carried_overheads
from tasks.running.this_machine import on_this_machine


@dataclass(frozen=True)
class Outcome:
    """What became of a run. reused: it was finished before and not measured again; note: what its
    record does not have of what was asked now."""

    record: Record
    folder: Path
    reused: bool = False
    note: str = ""


class Attempt:
    """One attempt at `plan`. What it finds out is kept as it comes, so that a failure keeps what
    was measured. earlier: a record of the same identity and machine that is continued; its phases
    are kept."""

    def __init__(
        self,
        task: Task,
        plan: Plan,
        ranks: Ranks,
        say: Callable[[Any], None],
        remarks: Sequence[str],
        earlier: Earlier | None = None,
    ) -> None:
        self.task, self.plan, self.ranks, self.say = task, plan, ranks, say
        self.started_at = now()
        self.notes = self.remarks = tuple(remarks)
        self.facts = ModelFacts()
        self.meter_facts: dict[str, Any] = {}
        self.found: Found | None = None
        self.phases: dict[Phase, PhaseRecord] = {}
        self.overheads: list[Overhead] = []
        self._earlier = earlier
        self._job = scheduler.from_environment()

    def run(self) -> Outcome:
        """Measure and leave the record. Raises `PlanError`, and what asked the run to end."""
        raised: BaseException | None = None
        with _log_file(self.plan.folder / "run.log", self.ranks):
            try:
                self._measure()
            except BaseException as error:
                # what follows takes a moment: a signal that comes in it loses nothing of the record
                with deferred_signals() as arrived:
                    status, raised = ending.classify(error, self.ranks, arrived)
                    outcome = self._leave_record(status, self._failure(error))
            else:
                with deferred_signals():
                    outcome = self._leave_record("finished")
        if raised is not None:
            raise raised
        return outcome

    def _measure(self) -> None:
        plan, ranks = self.plan, self.ranks
        device.set_threads(plan.hardware.num_threads)
        with (
            stopped.watched(),
            Meter(
                plan.meter,
                folder=plan.folder,
                ranks=ranks,
                use_gpu=device.uses_gpu(plan.hardware.accelerator),
                num_gpus=plan.hardware.devices,
                shares_node=self._job is not None and not plan.hardware.has_nodes_alone,
                country_iso_code=plan.hardware.country_iso_code,
                say=self.say,
            ) as meter,
        ):
            self.meter_facts, self.overheads = meter.facts(), meter.overheads
            if ranks.rank == 0:
                self.found = on_this_machine(
                    meter.all_gpus, plan.hardware.nodes, meter.sensors(), self.task.STEP_VERSION
                )
            with meter.overhead("set-up"):
                session = self.task.prepare(plan, ranks, self.say)
                meter.synchronize = session.synchronize
            meter.require_devices(device.uuid(plan.hardware.accelerator, ranks.local_rank))
            self.facts, self.notes = session.facts, (*session.notes, *self.remarks)
            self._keep_fingerprint(session.fingerprint)
            try:
                meter.idle()
                for phase in self._phases_to_measure():
                    stop_flag.check()
                    self._phase(phase, session, meter)
                self.notes = (*session.notes, *self.remarks)
                if "train" in plan.phases and plan.checkpoint_write and ranks.rank == 0:
                    self.notes += checkpoint_write.metered(session, meter, plan.folder)
            finally:
                session.close()

    def _keep_fingerprint(self, fingerprint: str | None) -> None:
        """An earlier attempt at another network, as a changed source builds it, is no part."""
        if self.found is not None:
            self.found = dataclasses.replace(self.found, network_fingerprint=fingerprint)
        if self._earlier is not None:
            before = self._earlier.record.setup.found
            if before is None or before.network_fingerprint != fingerprint:
                self._earlier = None

    def _phases_to_measure(self) -> tuple[Phase, ...]:
        missing = self.plan.phases if self._earlier is None else self._earlier.missing
        return tuple(cast(Phase, name) for name in self.ranks.broadcast(missing))

    def _continued(self, phase: Phase) -> PhaseRecord | None:
        """The earlier attempt at `phase`, where what is measured now goes on from it."""
        if self._earlier is None or self.plan.meter.mode != "adaptive":
            return None
        earlier = self._earlier.record.phases.get(phase)
        return earlier and continuation.marked(earlier, self._earlier.record.run_id)

    def _phase(self, phase: Phase, session: Session, meter: Meter) -> None:
        plan = self.plan
        self.say(PhaseBegun(plan.model.name, phase))
        device.reset_peak_memory(plan.hardware.accelerator)
        earlier = self._continued(phase)
        meter.settings = dataclasses.replace(plan.meter, relative_error=self._own_target(earlier))
        try:
            with meter.window(phase, batch_size=plan.batch_size) as window:
                window.open()
                outcome = (session.train if phase == "train" else session.test)(window)
        finally:
            # of a run that fails too: the record's status tells that it is a part
            self.phases[phase] = window.so_far()
        result = window.result()
        self.phases[phase] = dataclasses.replace(
            result,
            quality={name: value for name, value in outcome.quality.items() if isfinite(value)},
            views_per_sample=outcome.views_per_sample,
            flags=(*result.flags, *outcome.flags, *no_numbers(outcome.quality)),
            peak_memory_mib=session.peak_memory_mib(),
        )

    def _own_target(self, earlier: PhaseRecord | None) -> float:
        interval = earlier.energy_kwh_per_sample if earlier else None
        spread = interval.relative_half_width if interval else None
        asked: float = self.plan.meter.relative_error
        target: float = self.ranks.broadcast(continuation.own_target(asked, spread))
        return target

    def _all_phases(self) -> dict[Phase, PhaseRecord]:
        """Of this attempt and of the earlier one that it continues."""
        if self._earlier is None:
            return self.phases
        record = self._earlier.record
        phases: dict[Phase, PhaseRecord] = {}
        for name in (*record.phases, *self.phases):
            phases[name] = self._with_earlier(name)
        return phases

    def _with_earlier(self, name: Phase) -> PhaseRecord:
        earlier, measured = self._continued(name), self.phases.get(name)
        if measured is None:
            assert self._earlier is not None, "a phase is measured here or was earlier"
            record = self._earlier.record
            return continuation.marked(record.phases[name], record.run_id)
        if earlier is None or earlier.sensors != measured.sensors:
            return measured
        return continuation.joined(earlier, measured, self.plan.meter.relative_error)

    def _leave_record(self, status: Status, failure: Failure | None = None) -> Outcome:
        record = self._record(status, failure)
        if self.ranks.rank == 0:
            write(record, self.plan.folder)
        return Outcome(record, self.plan.folder)

    def _record(self, status: Status, failure: Failure | None) -> Record:
        from metering.code_version import code_version
        from metering.host import host_facts

        # an attempt that did not finish tells of itself alone: the next one adds them up
        is_whole = status == "finished" and self._earlier is not None
        carried = carried_overheads(self._earlier.record) if is_whole and self._earlier else ()
        earlier = attempts.unfinished_cost(self.plan.folder) if status == "finished" else ()
        bare = empty_record(self.plan, status, self.started_at, failure)
        return dataclasses.replace(
            bare,
            setup=SetUp(bare.setup.asked, self.found),
            code=Code(**code_version()),
            host=Host(**host_facts(), **self.meter_facts),
            facts=self.facts,
            phases=self._all_phases() if is_whole else self.phases,
            overheads=(*self.overheads, *carried, *earlier),
            notes=self.notes,
            scheduler=self._job,
        )

    def _failure(self, error: BaseException) -> Failure:
        return Failure(
            type=type(error).__name__,
            message=os_errors.explain(error, os_errors.places_of(self.plan)) or str(error),
            traceback="".join(traceback.format_exception(error)),
            rank=self.ranks.rank if self.ranks.num_ranks > 1 else None,
        )


def no_numbers(quality: Mapping[str, float]) -> tuple[str, ...]:
    """Flags for a loss that is infinite or no number: the steps were measured all the same."""
    return tuple(
        f"{name} is {value}, as of a training that diverges; it is left out"
        for name, value in quality.items()
        if not isfinite(value)
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
        ended_at=now(),
        config=_config(plan),
        recipe=plan.model.recipe,
        failure=failure,
        repetition=plan.repetition,
        sweep=plan.sweep,
    )


def _config(plan: Plan) -> dict[str, Any]:
    config = dataclasses.asdict(plan) | {"output_dir": str(plan.output_dir)}
    del config["sweep"]  # a field of the record
    return config


def now() -> str:
    """ISO 8601, UTC."""
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
