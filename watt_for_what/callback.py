"""What the callbacks for training libraries share: a run whose parts begin and end by calls."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from metering.record import Record
from watt_for_what.measuring import measure
from watt_for_what.run import Run
from watt_for_what.window import Window


class CallbackRun:
    """One training. options: what `watt.measure` takes; stops_training: whether the training ends
    once enough is measured."""

    def __init__(self, name: str, stops_training: bool, options: Mapping[str, Any]) -> None:
        self.record: Record | None = None
        self._name, self._options, self._stops = name, options, stops_training
        self._run: Run | None = None
        self._window: Window | None = None
        self._windows = contextlib.ExitStack()
        self._part = contextlib.ExitStack()
        self._in_part = False

    @property
    def is_open(self) -> bool:
        return self._run is not None

    @property
    def is_in_part(self) -> bool:
        return self._in_part

    def begin(self, **known: Any) -> None:
        """known: what the library knows; what the user says counts before it. Collective."""
        self._window, self._windows = None, contextlib.ExitStack()
        self._run = measure(self._name, **(known | dict(self._options)))
        self._run.has_live_line = False
        self._run.__enter__()

    def before_step(self) -> None:
        """A training step begins. Collective."""
        self.end_part()
        if self._run is not None and self._window is None:
            self._window = self._windows.enter_context(self._run.window("train"))

    def after_step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        """num_samples: of this rank. True: the training may end. Collective."""
        if self._window is None:
            return False
        return self._window.step(num_samples, data_wait_s) and self._stops

    def begin_part(self, name: str) -> None:
        """What is no step begins. Collective."""
        self.end_part()
        if self._run is not None:
            self._part.enter_context(self._run.part(name))
            self._in_part = True

    def end_part(self) -> None:
        self._in_part = False
        self._part.close()

    def end(self, error: BaseException | None = None) -> None:
        """The training has ended, by `error` where there is one. Safe to call twice."""
        run, self._run = self._run, None
        if run is None:
            return
        self._in_part = False
        about = (None, None, None) if error is None else (type(error), error, error.__traceback__)
        try:
            for stack in (self._part, self._windows):
                stack.__exit__(*about)
        except BaseException as late:
            about = (type(late), late, late.__traceback__)
            raise
        finally:
            run.__exit__(*about)
            self.record = run.record


class WithRun:
    """What a callback is in a `with`, whose library tells it of no error; the callback sets
    `_run`."""

    _run: CallbackRun

    @property
    def record(self) -> Record | None:
        return self._run.record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run.end(error)
