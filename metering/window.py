"""A window: steps cut into blocks until the rate is known well enough."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metering import flags
from metering.block import Block, MeterError, preferred
from metering.deferred_signals import deferred_signals
from metering.emissions import emitted_kg
from metering.phase_lock import locked, wait_s
from metering.record import Interval, Phase, PhaseRecord, Reading, StopReason
from metering.sensors import host_load
from metering.sensors.host_load import CpuTimes
from metering.statistics import rate_interval, warmup_length

if TYPE_CHECKING:
    from metering.meter import Meter

GROWTH = 4  # a block is at most this many times as long as the one before
CUT_SHORT = "the run ended inside this block"
PERIODS_PER_BLOCK = 5  # of the sensor: at most 20 % of a block is the sensor's own lag


@dataclass(frozen=True)
class Progress:
    """What a person wants to know while a window is open."""

    phase: str
    num_blocks: int
    warm: bool
    relative_half_width: float | None
    elapsed_s: float
    budget_s: float


@dataclass(frozen=True)
class _Order:
    """What rank 0 tells the others at the end of a block: the next one's length in steps
    (0: stop), and how long to wait before it."""

    num_steps: int
    wait_s: float = 0.0


class Window:
    """Blocks of steps, all ranks in lockstep.

    The length of a block is decided in steps when it opens, and told to all ranks; inside a
    block no rank waits for another on the meter's account. Blocks first grow until one lasts
    `block_s` (those are warm-up); then `adaptive` measures until the interval of the mean
    energy per sample is narrow enough, the time budget ends or `max_blocks` are taken.
    """

    def __init__(self, meter: Meter, phase: Phase, batch_size: int) -> None:
        self._meter, self._settings = meter, meter.settings
        self._phase: Phase = phase
        self._batch_size = batch_size
        self._blocks: list[tuple[Reading, Block]] = []
        self._num_sizing = 0  # leading blocks shorter than they should be
        self._steps_left = 0
        self._steps = self._samples = 0
        self._wait_s = 0.0
        self._open = False
        self._num_waits = 0
        self._cpu_before: CpuTimes | None = None
        self._cpu_flags: tuple[str, ...] = ()
        self._stop_reason: StopReason = "end_of_data"
        self._target_s = max(self._settings.block_s, PERIODS_PER_BLOCK * meter.sensor_period_s)

    def open(self) -> None:
        """Open the first block. Collective."""
        self._cpu_before = self._meter.cpu_times()
        self._began_s = self._meter.clock()
        first = 1
        if self._settings.mode != "adaptive" and self._settings.num_warmup_steps:
            first = self._settings.num_warmup_steps
        self._start(first)

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        """One step is queued: `num_samples` over all ranks. True: stop, on every rank.

        Collective only at the end of a block, which every rank reaches at the same step.
        """
        self._steps += 1
        self._samples += num_samples
        self._wait_s += data_wait_s
        if self._steps < self._steps_left:
            return False
        self._finish_block()
        order = self._meter.ranks.broadcast(self._order() if self._leads else None)
        if order.num_steps == 0:
            return True
        self._start(order.num_steps, order.wait_s)
        return False

    def close(self) -> None:
        """Close the window, and the block that the end of the data cut short. Collective."""
        if self._open and self._steps:
            self._finish_block()
        else:
            self.cut_short()
        self._cpu_flags = host_load.flags(self._cpu_before, self._meter.cpu_times())

    def cut_short(self) -> None:
        """Keep what the open block has used so far, outside of the rate: the run ends inside it.

        An error of the sensors is only logged: the one that ends the run is not hidden by it.
        """
        if not self._open:
            return
        with deferred_signals():
            self._open = False
            try:
                block = self._meter.cut_block()
            except Exception:
                logging.getLogger(__name__).exception("the last block could not be read")
                return
            if block is not None and self._leads and self._steps:
                self._keep(replace(block, fault=block.fault or CUT_SHORT))

    @property
    def _leads(self) -> bool:
        return self._meter.ranks.rank == 0

    def _start(self, num_steps: int, wait_s: float = 0.0) -> None:
        self._steps_left = num_steps
        self._steps = self._samples = 0
        self._wait_s = 0.0
        self._started_s = self._meter.clock() - self._began_s
        with deferred_signals():
            self._meter.begin_block(wait_s)
            self._open = True

    def _finish_block(self) -> None:
        with deferred_signals():  # read but not kept, it would be read again
            block = self._meter.end_block()
            self._open = False
            if block is not None:
                self._keep(block)

    def _keep(self, block: Block) -> None:
        reading = Reading(
            started_at_s=self._started_s,
            duration_s=block.duration_s,
            num_steps=self._steps,
            num_samples=self._samples,
            energy=block.energy,
            own=block.own,
            use="dropped" if block.fault else "measured",
            reason=block.fault,
            data_wait_s=self._wait_s,
        )
        self._blocks.append((reading, block))

    def _order(self) -> _Order:
        num_steps = self._decide()
        last, _ = self._blocks[-1]
        period_s = self._meter.sensor_period_s
        step_s = last.duration_s / last.num_steps
        if num_steps == 0 or not self._meter.all_gpus or not locked(step_s, period_s):
            return _Order(num_steps)
        self._num_waits += 1
        return _Order(num_steps, wait_s(period_s))

    def _decide(self) -> int:
        """Steps of the next block; 0 when enough is measured."""
        elapsed_s = self._meter.clock() - self._began_s
        last = self._blocks[-1][0]
        step_s = last.duration_s / last.num_steps
        interval = self._energy_interval()
        spread = interval.relative_half_width if interval else None
        wanted = max(1, math.ceil(self._target_s / step_s))
        is_adaptive = self._settings.mode == "adaptive"
        grows = is_adaptive and last.num_steps < wanted and last.duration_s < self._target_s * 0.8
        if grows and len(self._blocks) == self._num_sizing + 1:
            self._num_sizing += 1
        self._meter.say(
            Progress(
                self._phase, len(self._blocks), self._num_sizing < len(self._blocks), spread,
                elapsed_s, self._settings.time_budget_s,
            )
        )  # fmt: skip
        if not is_adaptive:
            return self._decide_fixed(wanted, step_s, elapsed_s)
        wanted = min(wanted, last.num_steps * GROWTH) if grows else last.num_steps
        measured = interval.num_blocks if interval else 0
        settings = self._settings
        enough = measured >= settings.min_blocks
        if enough and spread is not None and spread <= settings.relative_error:
            self._stop_reason = "relative_error"
            return 0
        if len(self._blocks) >= settings.max_blocks:
            self._stop_reason = "max_blocks"
            return 0
        if elapsed_s + wanted * step_s / 2 > settings.time_budget_s:
            self._stop_reason = "time_budget"
            return 0
        return wanted

    def _decide_fixed(self, wanted: int, step_s: float, elapsed_s: float) -> int:
        done = sum(reading.num_steps for reading, _ in self._blocks)
        left = self._settings.num_warmup_steps + (self._settings.num_steps or 0) - done
        if left <= 0:
            self._stop_reason = "num_steps"
            return 0
        if elapsed_s + min(left, wanted) * step_s / 2 > self._settings.time_budget_s:
            self._stop_reason = "time_budget"
            return 0
        return min(left, wanted)

    def readings(self) -> tuple[Reading, ...]:
        """All blocks, each with its use: `warm-up`, `measured` or `dropped`."""
        cut = self._num_warmup()
        return tuple(
            replace(reading, use="warm-up") if index < cut and not block.fault else reading
            for index, (reading, block) in enumerate(self._blocks)
        )

    def _num_warmup(self) -> int:
        if self._settings.mode != "adaptive":
            return 1 if self._settings.num_warmup_steps and len(self._blocks) > 1 else 0
        usable = [
            (index, reading, block)
            for index, (reading, block) in enumerate(self._blocks)
            if index >= self._num_sizing and not block.fault
        ]
        if not usable:  # the budget ended while blocks still grew: keep the longest, the last
            return max(0, len(self._blocks) - 1)
        energies = [(_energy_kwh(block) or 0) / reading.num_samples for _, reading, block in usable]
        durations = [reading.duration_s / reading.num_samples for _, reading, _ in usable]
        cut = max(warmup_length(energies), warmup_length(durations))
        if cut == 0 and self._num_sizing == 0 and len(usable) >= 3:
            cut = 1  # long steps: the first one carries the allocator's and the loader's start
        return usable[cut][0]

    def _measured(self) -> list[tuple[Reading, Block]]:
        cut = self._num_warmup()
        return [pair for pair in self._blocks[cut:] if not pair[1].fault]

    def _energy_interval(self) -> Interval | None:
        pairs = [(_energy_kwh(block), reading.num_samples) for reading, block in self._measured()]
        known = [(kwh, number) for kwh, number in pairs if kwh is not None]
        return rate_interval(
            [kwh for kwh, _ in known], [number for _, number in known], self._settings.confidence
        )

    def result(self) -> PhaseRecord:
        """What the window measured. Raises `MeterError` when too many blocks were dropped."""
        self._refuse_too_many_dropped()
        return self.so_far()

    def _refuse_too_many_dropped(self) -> None:
        dropped = [block.fault for _, block in self._blocks if block.fault]
        if len(dropped) > self._settings.max_dropped_share * max(1, len(self._blocks)):
            raise MeterError(
                f"{self._phase}: {len(dropped)} of {len(self._blocks)} blocks are not plausible; "
                f"the last: {dropped[-1]}"
            )

    def so_far(self) -> PhaseRecord:
        """What the window has measured, whether or not it can be trusted: of a run that fails, its
        readings and why they were dropped are kept too."""
        measured = self._measured()
        samples = [reading.num_samples for reading, _ in measured]
        durations = [reading.duration_s for reading, _ in measured]
        waits = [reading.data_wait_s or 0.0 for reading, _ in measured]
        return PhaseRecord(
            phase=self._phase,
            readings=self.readings(),
            sensors=self._meter.sensors(),
            energy_kwh_per_sample=self._energy_interval(),
            duration_s_per_sample=rate_interval(durations, samples, self._settings.confidence),
            stop_reason=self._stop_reason,
            batch_size=self._batch_size,
            num_nodes=self._meter.ranks.num_nodes,
            data_wait_share=sum(waits) / sum(durations) if durations else None,
            idle_power_w=self._meter.idle_power_w,
            emissions_kg_co2eq=emitted_kg(
                [_energy_kwh(block) for _, block in measured], self._meter.emission_factor
            ),
            flags=(
                *flags.of_blocks(
                    [block for _, block in self._blocks],
                    [block for _, block in measured],
                    disagreement=self._settings.disagreement,
                    num_waits=self._num_waits,
                ),
                *flags.of_machine(self._meter.all_gpus, self._meter.clock_skew_s),
                *self._cpu_flags,
            ),
        )


def _energy_kwh(block: Block) -> float | None:
    total: float | None = preferred(block).total_kwh
    return total
