"""The window that `run.window(...)` opens around steps of the user's loop."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol

from metering.pausing import PausableWindow
from metering.ranks import Ranks
from metering.record import Phase
from watt_for_what.asked import whole_number
from watt_for_what.errors import WattError


class WindowOwner(Protocol):
    """What a window needs of the run that it is of (`watt_for_what.run.Run`)."""

    ranks: Ranks

    def open_window(self, window: Window) -> PausableWindow: ...

    def close_window(self, window: Window, failed: bool) -> None: ...

    def enough(self, window: Window) -> None: ...


class Window:
    """One phase's steps. Enter it with `with`, and call `step` after each of them."""

    def __init__(self, run: WindowOwner, phase: Phase, batch_size: int) -> None:
        self.phase, self.batch_size = phase, batch_size
        self._run = run
        self._inner: PausableWindow | None = None
        self._num_ranks = run.ranks.num_ranks
        self._num_samples = 0  # of this rank
        self._largest_step = 0  # samples over all ranks
        self.done = False

    def __enter__(self) -> Window:
        if self._inner is not None:
            raise WattError(f"window({self.phase!r}) is open already; open it once")
        self._inner = self._run.open_window(self)
        return self

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        """One step is done (or queued on the GPU). True once enough is measured, on every rank at
        the same step; the loop may go on. Of a whole training always False.

        num_samples: of this rank's batch; every rank must give as many.
        data_wait_s: seconds that this step waited for its data, where the loop knows it.
        Raises `WattError`.
        """
        inner = self._inner
        if inner is None:
            raise WattError(
                f"window({self.phase!r}).step: the window is not open; "
                f"use `with run.window({self.phase!r}) as window:`"
            )
        if type(num_samples) is not int:
            num_samples = whole_number("window.step: num_samples", num_samples)
        if self.done:
            return True
        samples = num_samples * self._num_ranks
        if not 0 < samples <= self.batch_size:
            raise WattError(_wrong_number(num_samples, self._num_ranks, self.batch_size))
        self._num_samples += num_samples
        self._largest_step = max(self._largest_step, samples)
        self.done = inner.step(samples, data_wait_s)
        if self.done:
            self._run.enough(self)
        return self.done

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._inner is None:
            return
        try:
            self._run.close_window(self, failed=kind is not None)
        finally:
            self._inner = None

    @property
    def inner(self) -> PausableWindow:
        assert self._inner is not None, "the window is open"
        return self._inner

    def pause(self) -> None:
        """What follows is no step. Collective."""
        self.done = self.inner.pause() or self.done

    def resume(self) -> None:
        """Steps go on. Collective."""
        if not self.done:
            self.inner.resume()

    @property
    def is_stepless(self) -> bool:
        return self._num_samples == 0

    def remarks(self) -> list[str]:
        """What a reader has to know of the numbers of samples that were given. Collective."""
        return [remark for remark in (self._uneven(), self._short()) if remark is not None]

    def _short(self) -> str | None:
        if not 0 < self._largest_step < self.batch_size:
            return None
        return (
            f"{self.phase}: no step had batch_size={self.batch_size} samples, but at most "
            f"{self._largest_step}; if that is not so, the rate is wrong: give step() the number "
            "of samples, len(images) rather than len([images, labels])"
        )

    def _uneven(self) -> str | None:
        gathered: list[Any] = self._run.ranks.broadcast(self._run.ranks.gather(self._num_samples))
        if len(set(gathered)) == 1:
            return None
        off = abs(sum(gathered) / (gathered[0] * len(gathered)) - 1) if gathered[0] else 1.0
        return f"ranks stepped through different numbers of samples: rates are off by {off:.1%}"


def _wrong_number(num_samples: int, num_ranks: int, batch_size: int) -> str:
    if num_samples < 1:
        return f"window.step: num_samples={num_samples} is no batch; give len(images)"
    ranks = f" on each of {num_ranks} ranks" if num_ranks > 1 else ""
    return (
        f"window.step: num_samples={num_samples}{ranks} is more than batch_size={batch_size}, the "
        "samples of a step over all ranks; correct one of the two"
    )
