"""What is metered when, while a run of the user's goes on: windows, and the parts between them.

At any instant one thing alone is metered. Adaptive: a window, or nothing. Whole: a window, a part
that the user names (`checkpoint`), or else `set-up` and what is outside of steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from metering.meter import Meter
from metering.pausing import OUTSIDE, PausableWindow
from metering.record import Phase, PhaseRecord
from watt_for_what.errors import WattError
from watt_for_what.window import Window

PHASES = ("train", "test")


class Parts:
    """phases: what has been measured of each; notes: what a reader has to know."""

    def __init__(self, meter: Meter, whole: bool) -> None:
        self.phases: dict[Phase, PhaseRecord] = {}
        self.notes: list[str] = []
        self._meter, self._whole = meter, whole
        self._part: str | None = None
        self._open: list[Window] = []  # the innermost last
        self._inner: dict[Phase, PausableWindow] = {}
        self._outside = contextlib.ExitStack()  # metered while no window is open
        if whole:
            self._outside.enter_context(meter.overhead("set-up"))

    def open(self, window: Window) -> PausableWindow:
        """Collective. Raises `WattError`."""
        phase = window.phase
        self._refuse_in_part(f"window({phase!r})")
        if self._whole and any(part.phase == phase for part in self._open):
            raise WattError(f"window({phase!r}) inside itself: close the outer one first")
        if not self._whole:
            self._refuse_second(phase)
        self._pause()
        if not self._whole:
            self._meter.idle()
        self._open.append(window)
        if phase in self._inner:
            self._inner[phase].resume()
        else:
            self._inner[phase] = PausableWindow(self._meter, phase, window.batch_size)
            self._inner[phase].open()
        return self._inner[phase]

    def close(self, window: Window, failed: bool) -> None:
        """Collective, but where it failed. Raises `WattError`."""
        phase = window.phase
        if failed:
            self._inner[phase].cut_short()
            return
        window.pause()
        self._open.remove(window)
        if window.is_stepless:
            raise WattError(
                f"window({phase!r}) was closed without a step: call window.step(len(images)) after "
                "each, or meter it with run.part('evaluation')"
            )
        self.notes += [remark for remark in window.remarks() if remark not in self.notes]
        if not self._whole:
            self._finish(phase)
        self._go_on()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Meter something else. Collective. Raises `WattError`."""
        if not isinstance(name, str) or not name or name in PHASES:
            raise WattError(f"part({name!r}): give it a name of its own, as in part('checkpoint')")
        self._refuse_in_part(f"part({name!r})")
        self._pause()
        self._part = name
        try:
            with self._meter.overhead(name):
                yield
                self._meter.synchronize()
        finally:
            self._part = None
        self._go_on()

    def end(self) -> None:
        """All is done. Collective. Raises `MeterError` where what was read cannot be believed."""
        self._meter.synchronize()
        self._outside.close()
        if self._whole:
            for phase in self._inner:
                self._finish(phase)

    def cut_short(self) -> None:
        """An error or a signal ends the run: keep what was measured; nobody is waited for."""
        with contextlib.suppress(Exception):  # an error of the sensors does not hide this one
            self._outside.close()
        for phase, inner in self._inner.items():
            inner.cut_short()
            self.phases.setdefault(phase, inner.so_far())

    def so_far(self) -> dict[Phase, PhaseRecord]:
        return {phase: inner.so_far() for phase, inner in self._inner.items()}

    def _refuse_in_part(self, action: str) -> None:
        if self._part is not None:
            raise WattError(f"{action} inside part({self._part!r}): close that part first")

    def _refuse_second(self, phase: Phase) -> None:
        if self._open:
            raise WattError(
                f"window({phase!r}) inside window({self._open[-1].phase!r}): one window at a "
                "time; close the first, or measure the whole training (whole=True)"
            )
        if phase in self._inner:
            raise WattError(
                f"window({phase!r}) is used twice: one window a phase; go on stepping in the first "
                "one, or measure the whole training (whole=True)"
            )

    def _pause(self) -> None:
        if self._open:
            self._open[-1].pause()
            return
        self._meter.synchronize()
        self._outside.close()

    def _go_on(self) -> None:
        if self._open:
            self._open[-1].resume()
        elif self._whole:
            self._outside.enter_context(self._meter.overhead(OUTSIDE))

    def _finish(self, phase: Phase) -> None:
        inner = self._inner[phase]
        try:
            inner.close()
        finally:
            self.phases[phase] = inner.so_far()
        self.phases[phase] = inner.result()
