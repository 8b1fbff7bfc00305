"""When a window ends, and how long its next block is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from metering.power_states import power_states
from metering.record import CONFIDENCE, StopReason
from metering.rows import Row, counted_interval, measured, num_warm_up, unexplained_s
from metering.settings import MeterSettings
from metering.steadiness import steadiness

GROWTH = 4  # a block is at most this many times as long as the one before
PERIODS_PER_BLOCK = 5  # of the sensor: at most 20 % of a block is the sensor's own tick
CONFIRMING = 0.25  # of the blocks that count, where the rule did not hold from its first look on:
# the more often one looks, the more often a limit is met by chance
GAP_SHARE = 0.001  # of a block, that its edge may take
STRICT = 0.99  # confidence at which the interval must be within the limit: noise is often small by
# chance, and a load that changes its power from time to time often calm
# warm-up of another power or speed that heat does not explain may be a state of the load, which
# comes again: where it is longer than a cold start of some steps (seconds), what counts lasts at
# least so many times the least time
COLD_START_S, LEAST_TIMES = 3.0, 2.0


@dataclass(frozen=True)
class Decision:
    """num_steps: of the next block, 0 to stop for `reason`."""

    num_steps: int
    reason: StopReason = "end_of_data"


def ended_at_s(row: Row) -> float:
    """Seconds into the window at which the block of `row` ended."""
    return row.started_at_s + row.block.duration_s


class StoppingRule:
    """Decides after each block. Keeps how many leading blocks were still too short
    (`num_sizing`), how often it could have ended the window, and how often in a row it would.

    `is_chosen`: whether the rule did not hold from its first look on: such a window ends because
    its interval became narrow, often by chance. `widest`: of the looks that then confirmed each
    other, the widest relative half-width, with which it is reported; else 0."""

    def __init__(self, settings: MeterSettings, period_s: float, is_read: bool) -> None:
        self._settings = settings
        self._least_s = settings.least_s if is_read else 0.0
        self._block_s = max(settings.block_s, PERIODS_PER_BLOCK * period_s)
        self._period_s = period_s
        self._times_held = self._num_looks = 0
        self.num_sizing = 0
        self.widest = 0.0

    @property
    def is_chosen(self) -> bool:
        return self._times_held < max(1, self._num_looks)

    def first_num_steps(self) -> int:
        settings = self._settings
        if settings.mode != "adaptive" and settings.num_warmup_steps:
            return settings.num_warmup_steps
        return 1

    def decide(self, rows: Sequence[Row], elapsed_s: float) -> Decision:
        """elapsed_s: since the window was opened; the time budget begins after the first block,
        whose step may take seconds to load and compile what it needs."""
        elapsed_s -= ended_at_s(rows[0])
        if self._settings.mode != "adaptive":
            return self._decide_fixed(rows, elapsed_s)
        if len(rows) == 1:  # the first step says nothing of the next ones, and gives no rate
            self.num_sizing = 1
            return Decision(self.first_num_steps())
        last, block_s = rows[-1], self._wanted_s(rows)
        wanted = max(1, math.ceil(block_s / last.step_s))
        grows = last.num_steps < wanted and last.block.duration_s < block_s * 0.8
        if grows and len(rows) == self.num_sizing + 1:
            self.num_sizing += 1
        num_steps = min(wanted, last.num_steps * GROWTH) if grows else last.num_steps
        # the least time is not over: nothing can hold yet
        num_confirming = self._look(rows) if elapsed_s >= self._least_s else math.inf
        reason = self._end(len(rows), num_confirming, elapsed_s + num_steps * last.step_s / 2)
        return Decision(num_steps if reason is None else 0, reason or "end_of_data")

    def _look(self, rows: Sequence[Row]) -> float:
        """Whether the window could end now; how many more looks must confirm it."""
        cut = num_warm_up(rows, self.num_sizing, self._settings, self._period_s)
        kept = measured(rows, cut)
        if self._holds(rows, cut, kept):
            self._times_held += 1
        else:
            self._times_held, self.widest = 0, 0.0
        num_failed_looks = self._num_looks - self._times_held
        if self._times_held and num_failed_looks:
            interval = counted_interval(kept, CONFIDENCE, self._period_s)
            self.widest = max(self.widest, (interval and interval.relative_half_width) or 0.0)
        return max(self._settings.num_confirming, min(num_failed_looks, CONFIRMING * len(kept)))

    def time_left_s(self, rows: Sequence[Row], elapsed_s: float) -> float:
        """At most: until the time budget ends, or the steps that were asked for are done."""
        left_s = self._settings.time_budget_s - (elapsed_s - ended_at_s(rows[0]))
        if self._settings.mode != "adaptive":
            left_s = min(left_s, self._num_steps_left(rows) * rows[-1].step_s)
        return max(0.0, left_s)

    def _num_steps_left(self, rows: Sequence[Row]) -> int:
        """Of a fixed number."""
        wanted = self._settings.num_warmup_steps + (self._settings.num_steps or 0)
        return wanted - sum(row.num_steps for row in rows)

    def _wanted_s(self, rows: Sequence[Row]) -> float:
        """Long against the sensor's period and against what an edge takes (one that another
        process delayed says little of the next), the latter as long as the budget leaves enough
        blocks for an interval."""
        gaps = sorted(row.block.gap_s for row in rows[-9:])
        most_s = self._settings.time_budget_s / (2 * self._settings.min_blocks)
        return max(self._block_s, min(gaps[len(gaps) // 4] / GAP_SHARE, most_s))

    def _holds(self, rows: Sequence[Row], cut: int, kept: Sequence[Row]) -> bool:
        settings = self._settings
        kept_s = sum(row.block.duration_s for row in kept)
        if len(kept) < settings.min_blocks or kept_s < self._least_s:
            return False
        apart_s = unexplained_s(rows, self.num_sizing, cut)
        if apart_s > COLD_START_S and kept_s < LEAST_TIMES * self._least_s:
            return False
        self._num_looks += 1
        interval = counted_interval(kept, STRICT, self._period_s)
        spread = interval.relative_half_width if interval else None
        if spread is None or spread > settings.relative_error:
            return False
        if power_states(kept, self._period_s).half_width(CONFIDENCE) > settings.relative_error:
            return False
        return steadiness(rows[self.num_sizing :], kept).is_steady

    def _end(self, num_blocks: int, num_confirming: float, end_s: float) -> StopReason | None:
        settings = self._settings
        if self._times_held > num_confirming:
            return "relative_error"
        if num_blocks >= settings.max_blocks:
            return "max_blocks"
        return "time_budget" if end_s > settings.time_budget_s else None

    def _decide_fixed(self, rows: Sequence[Row], elapsed_s: float) -> Decision:
        settings, step_s = self._settings, rows[-1].step_s
        left = self._num_steps_left(rows)
        if left <= 0:
            return Decision(0, "num_steps")
        num_steps = min(left, max(1, math.ceil(self._wanted_s(rows) / step_s)))
        if elapsed_s + num_steps * step_s / 2 > settings.time_budget_s:
            return Decision(0, "time_budget")
        return Decision(num_steps)
