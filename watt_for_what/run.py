"""A run of the user's, from `with watt.measure(...)` to its record, which it leaves in any case."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from metering import scheduler
from metering.deferred_signals import deferred_signals
from metering.meter import Meter
from metering.pausing import PausableWindow
from metering.progress import Progress
from metering.ranks import OneRank, Ranks
from metering.record import Failure, Phase, PhaseRecord, Record, Status
from tasks.running import attempts
from watt_for_what import devices, outcome, ranks
from watt_for_what.asked import Request, whole_number
from watt_for_what.devices import Device
from watt_for_what.errors import WattError
from watt_for_what.folder import Folder
from watt_for_what.leaving import ends_with_an_exception
from watt_for_what.parts import PHASES, Parts
from watt_for_what.progress import LoopProgress
from watt_for_what.window import Window

KEEP_EVERY_S = 60.0
"""At most: a whole training's record so far, should the process be killed. At first it is kept
more often, so that no more than half of a short training is lost."""

_running: list[Run] = []


class Run:
    """What `watt.measure` gives: enter it with `with`.

    record: the record, once the run has ended, on rank 0; `None` on the others, which write none.
    """

    def __init__(
        self,
        request: Request,
        device: Device,
        synchronize: Callable[[], None] | None,
        quiet: bool,
    ) -> None:
        self.request = request.checked()
        self.batch_size: int = request.batch_size or 0
        self.ranks: Ranks = OneRank()
        self.record: Record | None = None
        self._recipe = request.stages()
        self._device, self._quiet = device, quiet
        self._synchronize = synchronize or devices.synchronize
        self._folder: Folder | None = None
        self._meter: Meter | None = None
        self._parts: Parts | None = None
        self._progress: LoopProgress | None = None  # rank 0's, unless quiet
        self._quality: dict[Phase, dict[str, float]] = {}
        self._notes: list[str] = []
        self._stack = contextlib.ExitStack()
        self._signals = contextlib.ExitStack()  # left last: what waits for it is handled then
        self.has_live_line = True  # False: a library shows its own
        self._job = scheduler.from_environment()

    @property
    def folder(self) -> Path | None:
        """Where `record.json` lies; `None` on other ranks than 0."""
        return self._folder.path if self._folder else None

    def __enter__(self) -> Run:
        """Start the sensors. Collective. Raises `WattError`."""
        if _running:
            raise WattError(
                f"measure({self.request.name!r}) inside measure({_running[0].request.name!r}): "
                "one run at a time; end the first one before"
            )
        if self.record is not None:
            raise WattError(f"measure({self.request.name!r}) has ended; call watt.measure again")
        _running.append(self)
        self._stack.callback(_running.clear)
        self._started_at = outcome.now()
        try:
            self._begin()
        except BaseException as error:
            self._leave(error)
            raise
        return self

    def window(self, phase: Phase = "train", batch_size: int | None = None) -> Window:
        """The window around the steps of a phase, `train` or `test`: enter it with `with`.

        batch_size: of its steps, where it is another one than the run's.

        Adaptive: one of each phase, one after the other. Whole: as many as there are epochs and
        evaluations; one inside another pauses the outer one. Raises `WattError`.
        """
        if phase not in PHASES:
            raise WattError(f"window({phase!r}) is no phase; use train or test")
        if batch_size is not None:
            whole_number("window: batch_size", batch_size)
        return Window(self, phase, batch_size or self.batch_size)

    def part(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Meter what is no step (a checkpoint, an evaluation without steps) under its own name;
        an open window pauses meanwhile. Collective. Raises `WattError`."""
        return self._open_parts().part(name)

    def checkpoint(self) -> contextlib.AbstractContextManager[None]:
        """`part("checkpoint")`."""
        return self.part("checkpoint")

    def quality(self, phase: Phase = "test", **values: float) -> None:
        """What the network reached, kept in the record: `run.quality(top1_pct=76.1)`."""
        self._quality.setdefault(phase, {}).update(values)

    def note(self, text: str) -> None:
        """A line for whoever reads the record."""
        self._notes.append(text)

    def open_window(self, window: Window) -> PausableWindow:
        """For `Window` alone. Collective. Raises `WattError`."""
        parts = self._open_parts()
        if self._device == "auto" and not self._devices.use_gpu and devices.cuda_is_ready():
            raise WattError(
                "the loop computes on a GPU that is not metered: move the network to it before "
                "watt.measure(...), or give device='cuda' (device='cpu' where it is not used)"
            )
        inner = parts.open(window)
        if self._progress is not None:
            self._progress.begin(window.phase)
        return inner

    def enough(self, window: Window) -> None:
        """For `Window` alone: its metering is over."""
        if self._progress is not None:
            self._progress.enough(window.phase)

    def close_window(self, window: Window, failed: bool) -> None:
        """For `Window` alone. Collective, but where the window failed. Raises `WattError`."""
        self._open_parts().close(window, failed)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._leave(error)
            return
        try:
            parts = self._open_parts()
            parts.end()
            if not parts.phases:
                raise WattError(
                    f"measure({self.request.name!r}) measured nothing: open a window in it, "
                    "`with run.window('train') as window:`"
                )
        except BaseException as late:
            self._leave(late)
            raise
        self._leave(None)

    def _open_parts(self) -> Parts:
        if self._parts is None or _running != [self]:
            raise WattError("the run is not open; use `with watt.measure(...) as run:`")
        return self._parts

    def _begin(self) -> None:
        request = self.request
        self.ranks = ranks.current()
        self._devices = devices.find(self._device, self.ranks)
        self._asked = request.asked(
            max(self.ranks.num_ranks, self._devices.num),
            self.ranks.num_nodes,
            self._devices.use_gpu,
        )
        self._facts, self._fingerprint = request.facts()
        folder = self._find_folder()
        self._signals.enter_context(ends_with_an_exception())
        outcome.silence_codecarbon()
        self._meter = Meter(
            request.settings(),
            folder=folder,
            ranks=self.ranks,
            use_gpu=self._devices.use_gpu,
            num_gpus=self._devices.num_here,
            gpu_mask=self._devices.mask,
            shares_node=self._job is not None and not request.has_nodes_alone,
            country_iso_code=request.country,
            say=self._block_ended,
        )
        self._meter.synchronize = self._synchronize
        self._stack.enter_context(self._meter)
        self._parts = Parts(self._meter, request.whole)
        if self.ranks.rank == 0 and not self._quiet:
            budget_s = None if request.whole else request.settings().time_budget_s
            self._progress = LoopProgress(request.name, budget_s, self.has_live_line)
        self._began_s = self._kept_s = time.monotonic()

    def _find_folder(self) -> Path:
        """Rank 0 chooses, all learn it, or why there is none. Collective. Raises `WattError`."""
        answer: Path | str | None = None
        request = self.request
        if self.ranks.rank == 0:
            try:
                keeps_parts = request.training_id is not None
                self._folder = Folder(
                    request.output_dir, self._asked, request.hardware, keeps_parts
                )
                self._stack.callback(self._folder.release)
                answer = self._folder.path
            except WattError as error:
                answer = str(error)
        answer = self.ranks.broadcast(answer)
        if not isinstance(answer, Path):
            raise WattError(answer)
        return answer

    def _block_ended(self, news: object) -> None:
        """Say it, and of a whole training keep what is measured so far: nothing else can, if it is
        killed."""
        if not isinstance(news, Progress):
            return
        if self._progress is not None:
            self._progress(news)
        if not self.request.whole or self._folder is None:
            return
        if time.monotonic() - self._kept_s >= min(KEEP_EVERY_S, self._kept_s - self._began_s):
            record = self._record("interrupted", self._open_parts().so_far())
            outcome.write_record(record, self._folder.path)
            self._kept_s = time.monotonic()

    def _leave(self, error: BaseException | None) -> None:
        """Leave the record, and everything as it was."""
        with self._signals, deferred_signals() as arrived, self._stack:
            if self._progress is not None:
                self._progress.close()
            if error is not None and self._parts is not None:
                self._parts.cut_short()
            if self._folder is None:
                return
            status, failure = outcome.status_of(error, self.ranks, arrived)
            phases = self._parts.phases if self._parts is not None else {}
            self.record = self._record(status, phases, failure)
            outcome.write_record(self.record, self._folder.path)
            if not self._quiet:
                for line in outcome.summary(self.record, self._folder.path):
                    print(line, file=sys.stderr)

    def _record(
        self, status: Status, phases: dict[Phase, PhaseRecord], failure: Failure | None = None
    ) -> Record:
        request, folder, meter = self.request, self._folder, self._meter
        assert folder is not None, "rank 0 alone writes records"
        is_read = meter is not None and self._parts is not None
        earlier = attempts.unfinished_cost(folder.path) if status == "finished" else ()
        notes = self._parts.notes if self._parts is not None else []
        standing = outcome.standing_notes(request.whole, self.ranks.num_nodes)
        return outcome.record(
            status=status,
            asked=self._asked,
            found=outcome.found(meter if is_read else None, self._fingerprint, self.ranks),
            hardware=request.hardware,
            started_at=self._started_at,
            config=request.config(),
            meter_facts=meter.facts() if meter is not None and is_read else {},
            recipe=self._recipe,
            facts=self._facts,
            phases={
                phase: dataclasses.replace(record, quality=self._quality.get(phase, {}))
                for phase, record in phases.items()
            },
            overheads=(*outcome.by_name(meter.overheads if meter else ()), *earlier),
            failure=failure,
            notes=(*standing, *notes, *self._notes),
            repetition=folder.repetition,
            training_id=request.training_id,
            scheduler=self._job,
        )
