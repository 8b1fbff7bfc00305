"""A window that can be paused: what comes between its steps (an evaluation, a checkpoint) is none.

open  step step step  pause | evaluation | resume  step step ...  close
"""

from __future__ import annotations

import math
from dataclasses import replace

from metering.block import preferred
from metering.deferred_signals import deferred_signals
from metering.record import Overhead
from metering.window import Window, _Order

OUTSIDE = "outside of steps"


class PausableWindow(Window):
    """Between `pause` and `resume` no block and no task of CodeCarbon is open, so that whatever
    runs there can be metered on its own. The time between is not the window's."""

    _pending: _Order | None = None

    def pause(self) -> bool:
        """End the open block here, be it shorter than wanted. True: enough is measured, as `step`
        says it. Collective."""
        if self._open and self._num_steps:
            self._finish_block()
            self._pending = self._meter.ranks.broadcast(self._order() if self._leads else None)
            self._finish_task()
        elif self._task_open:  # no step yet, or a lead-in: as long a block, later
            self._pending = self._next or _Order(self._num_steps_left)
            self._keep_stepless()
        self._open, self._next = False, None
        self._paused_s = self._meter.clock()
        return self._pending is not None and self._pending.num_steps == 0

    def _keep_stepless(self) -> None:
        """What was used since the last step is nobody's sample, and not lost: an overhead."""
        with deferred_signals():
            block, task = self._meter.cut()
            self._task_open = False
            self._share(task)
        if block is not None and task is not None and self._open:
            energy = preferred(task.share(block, is_whole=not self._meter.counts_gpus))
            self._meter.overheads.append(Overhead(OUTSIDE, block.duration_s, energy))

    def resume(self) -> None:
        """Steps go on. Collective."""
        pending, self._pending = self._pending, None
        if pending is None or pending.num_steps == 0:
            return
        self._began_s += self._meter.clock() - self._paused_s
        order = replace(pending, num_lead_steps=0)
        if self._leads and self._rows:
            order = self._how_to_go_on(pending.num_steps, edge_s=math.inf)
        order = self._meter.ranks.broadcast(order)
        self._start(replace(order, new_task=True, after_stop=True))
