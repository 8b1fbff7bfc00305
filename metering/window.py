"""A window: steps cut into blocks until the rate is known well enough.

One window of a run on a GPU, time from left to right (on a CPU, whose counters do not lag, there
is no lead-in and each block is a task of its own):

    open                                                                             close
     |                                                                                 |
     | sizing  warm-up              |         measured            confirming            |
     |..|...|....|======|======|    |    |======|======|======|    |======|======|======|
     |                         |    |    |                    |    |                    |
     |<------ CodeCarbon task ----->|    |<------- task ---------->|<------ task ------>|
                               stop lead-in              stop lead-in

    ====   a block: steps between two readings of our own counters; one reading ends a block and
           begins the next, so what a lagging counter books late stays inside the window
    stop   CodeCarbon and the lists of processes are read; the device has no work
    lead-in  steps that belong to no block: they last until the counter has forgotten the stop

Power, temperature, clocks and throttle reasons are sampled at the end of every block.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metering import stop_flag, stopped
from metering.block import Block, Task
from metering.budget import LAG_S
from metering.deferred_signals import deferred_signals
from metering.phase_lock import locked, wait_s
from metering.phase_result import phase_record, refuse_too_many_dropped
from metering.progress import Progress
from metering.record import Phase, PhaseRecord, Reading, StopReason
from metering.rows import Row, append, num_warm_up, with_block
from metering.sensors import host_load
from metering.sensors.host_load import CpuTimes
from metering.stopping import StoppingRule

if TYPE_CHECKING:
    from metering.window_meter import WindowMeter

CUT_SHORT = "the run ended inside this block"

TASK_SHARE = 0.0008  # of a window's time, that CodeCarbon's calls may take
LEAD_SHARE = 0.01  # the same of lead-in steps
NO_LEAD_SHARE = 0.002  # a lag that is this little of a block needs no lead-in
SLOW_EDGE_S = 0.05  # an edge that takes longer is a stop


@dataclass(frozen=True)
class _Order:
    """What rank 0 tells the others at the end of a block: the next one's length in steps (0:
    stop), the steps that lead in to it, whether it begins a new task of CodeCarbon or after a
    stop, and how long to wait before it."""

    num_steps: int
    num_lead_steps: int = 0
    new_task: bool = False
    after_stop: bool = False
    wait_s: float = 0.0


class Window:
    """Blocks of steps, all ranks in lockstep.

    The length of a block is decided in steps when it opens, and told to all ranks; inside a
    block no rank waits for another on the meter's account. Blocks first grow until one lasts
    `block_s` (those are warm-up); then `adaptive` measures until the interval of the mean
    energy per sample is narrow enough, the time budget ends or `max_blocks` are taken.
    """

    def __init__(self, meter: WindowMeter, phase: Phase, batch_size: int) -> None:
        self._meter, self._settings = meter, meter.settings
        self._phase: Phase = phase
        self._batch_size = batch_size
        self._rows: list[Row] = []
        self._num_shared = 0  # leading rows whose task has ended
        self._num_steps_left = self._num_steps = self._num_samples = 0
        self._wait_s = self._began_s = 0.0
        self._num_stops = 0  # before the open block
        self._next: _Order | None = None  # the block that the open lead-in leads to
        self._open = self._task_open = False
        self._task_is_block = True
        self._num_waits = 0
        self._cpu_before: CpuTimes | None = None
        self._cpu_flags: tuple[str, ...] = ()
        self._stop_reason: StopReason = "end_of_data"
        hows = {sensor.how for sensor in meter.sensors().values()}
        is_read = not hows.isdisjoint(("counter", "rapl", "power"))
        self._rule = StoppingRule(self._settings, meter.sensor_period_s, is_read)

    def open(self) -> None:
        """Open the first block. Collective."""
        self._cpu_before = self._meter.cpu_times()
        self._began_s = self._meter.clock()
        self._start(_Order(self._rule.first_num_steps(), new_task=True, after_stop=True))

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        """One step is queued: `num_samples` over all ranks. True: stop, on every rank.

        Collective only at the end of a block or lead-in, which every rank reaches at the same
        step.
        """
        stop_flag.check()
        self._num_steps += 1
        self._num_samples += num_samples
        self._wait_s += data_wait_s
        if self._num_steps < self._num_steps_left:
            return False
        if self._next is not None:
            self._begin_block(self._next)
            return False
        self._finish_block()
        order = self._meter.ranks.broadcast(self._order() if self._leads else None)
        if order.num_steps == 0:
            self._finish_task()
            return True
        if order.new_task:
            self._finish_task()
        self._start(order)
        return False

    def close(self) -> None:
        """Close the window, and the block that the end of the data cut short. Collective."""
        if self._open and self._num_steps:
            self._finish_block()
            self._finish_task()
        elif not self._open and self._task_open:  # the data ended in a lead-in
            self._finish_task()
        else:
            self.cut_short()
        self._cpu_flags = host_load.flags(self._cpu_before, self._meter.cpu_times())

    def cut_short(self) -> None:
        """Keep what the open block has used so far, outside of the rate: the run ends inside it.

        An error of the sensors is only logged: the one that ends the run is not hidden by it.
        """
        if not self._task_open:
            return
        with deferred_signals():
            is_block, self._open, self._task_open = self._open, False, False
            try:
                block, task = self._meter.cut()
            except Exception:
                logging.getLogger(__name__).exception("the last block could not be read")
                return
            if not self._leads:
                return
            if block is not None and is_block and self._num_steps:
                self._keep(replace(block, fault=block.fault or CUT_SHORT))
            self._share(task)

    @property
    def _leads(self) -> bool:
        return self._meter.ranks.rank == 0

    def _start(self, order: _Order) -> None:
        """Go on with the next block, or the steps that lead in to it."""
        with deferred_signals():
            if order.new_task and self._meter.counts_gpus:
                self._meter.begin_task()
                self._task_open = True
            if order.wait_s:
                self._meter.sleep(order.wait_s)
            if order.num_lead_steps:
                self._next = order
                self._reset(order.num_lead_steps)
            else:
                self._begin_block(order)

    def _begin_block(self, order: _Order) -> None:
        self._next, self._after_stop = None, order.after_stop
        self._num_stops = stopped.count()
        self._reset(order.num_steps)
        with deferred_signals():
            if not self._task_open:
                self._meter.begin_task()
                self._task_open = True
            if order.after_stop:
                self._meter.begin_block()
            else:
                self._meter.resume()
            self._open = True
        self._started_s = self._meter.clock() - self._began_s
        if order.new_task:
            self._task_began_s = self._started_s

    def _reset(self, num_steps: int) -> None:
        self._num_steps_left = num_steps
        self._num_steps = self._num_samples = 0
        self._wait_s = 0.0

    def _finish_block(self) -> None:
        with deferred_signals():  # read but not kept, it would be read again
            block = self._meter.end_block()
            self._open = False
            if block is not None:
                self._keep(block)
            if not self._meter.counts_gpus:
                self._finish_task()

    def _finish_task(self) -> None:
        if not self._task_open:
            return
        with deferred_signals():
            self._share(self._meter.end_task())
            self._task_open = False

    def _share(self, task: Task | None) -> None:
        """Give the blocks of `task` their share of it."""
        if task is not None:
            is_whole = not self._meter.counts_gpus
            for index in range(self._num_shared, len(self._rows)):
                row = self._rows[index]
                self._rows[index] = with_block(row, task.share(row.block, is_whole))
        self._num_shared = len(self._rows)

    def _keep(self, block: Block) -> None:
        if stopped.count() != self._num_stops:
            block = replace(block, fault=block.fault or stopped.INSIDE)
        num = (self._num_steps, self._num_samples)
        append(self._rows, Row(self._started_s, *num, self._wait_s, block, self._after_stop))

    def _order(self) -> _Order:
        ended_s = self._meter.clock()
        elapsed_s = ended_s - self._began_s
        decision = self._rule.decide(self._rows, elapsed_s)
        self._stop_reason = decision.reason
        self._meter.say(
            Progress(
                self._phase,
                len(self._rows),
                self._rule.num_sizing < len(self._rows),
                elapsed_s,
                self._rule.time_left_s(self._rows, elapsed_s),
                self.so_far,
                self._meter.overheads,
            )
        )
        if decision.num_steps == 0:
            return _Order(0)
        return self._how_to_go_on(decision.num_steps, self._meter.clock() - ended_s)

    def _how_to_go_on(self, num_steps: int, edge_s: float) -> _Order:
        """edge_s: how long the decision took, with what is called after it."""
        if not self._meter.counts_gpus:
            return _Order(num_steps, new_task=True, after_stop=True)
        if self._settings.mode != "adaptive":  # every step counts: one task, no lead-in
            return _Order(num_steps, after_stop=edge_s > SLOW_EDGE_S)
        step_s, period_s = self._rows[-1].step_s, self._meter.sensor_period_s
        lag_s = 2 * period_s + LAG_S
        is_short = lag_s < NO_LEAD_SHARE * num_steps * step_s
        num_lead_steps = 0 if is_short else math.ceil(lag_s / step_s)
        shifts = locked(step_s, period_s)
        self._num_waits += shifts
        task_s = max(self._meter.task_cost_s / TASK_SHARE, num_lead_steps * step_s / LEAD_SHARE)
        in_task_s = self._meter.clock() - self._began_s - self._task_began_s
        new_task = in_task_s >= task_s
        if not (new_task or shifts or edge_s > SLOW_EDGE_S):
            return _Order(num_steps)
        return _Order(
            num_steps, num_lead_steps, new_task, True, wait_s(period_s) if shifts else 0.0
        )

    def _num_warm_up(self) -> int:
        period_s = self._meter.sensor_period_s
        return num_warm_up(self._rows, self._rule.num_sizing, self._settings, period_s)

    def readings(self) -> tuple[Reading, ...]:
        """All blocks, each with its use: `warm-up`, `measured` or `dropped`."""
        cut = self._num_warm_up()
        return tuple(row.reading(index < cut) for index, row in enumerate(self._rows))

    def result(self) -> PhaseRecord:
        """What the window measured. Raises `MeterError` when too many blocks were dropped."""
        refuse_too_many_dropped(self._phase, self._rows, self._settings.max_dropped_share)
        return self.so_far()

    def so_far(self) -> PhaseRecord:
        """What the window has measured, whether or not it can be trusted: of a run that fails, its
        readings and why they were dropped are kept too."""
        return phase_record(
            self._meter,
            self._phase,
            self._batch_size,
            self._rows,
            self._num_warm_up(),
            self._rule.num_sizing,
            least_width=self._rule.widest if self._stop_reason == "relative_error" else 0.0,
            is_chosen=self._rule.is_chosen,
            stop_reason=self._stop_reason,
            num_waits=self._num_waits,
            cpu_flags=self._cpu_flags,
            began_s=self._began_s,
        )
