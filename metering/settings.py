"""What a user can ask of the meter; made from `conf/meter/*.yaml` by `tasks/plan.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MeterSettings:
    """Stopping rule and accounting of one run's windows.

    mode: `adaptive` stops when the relative half-width of the interval at 99 % of the mean energy
        per sample is at most `relative_error` while power is steady, or at `time_budget_s` per
        phase, or at `max_blocks`; `fixed` and `paper` measure exactly `num_steps` steps after
        `num_warmup_steps` (`paper`: 10 % of one ImageNet-1k epoch, no warm-up), or stop at
        `time_budget_s` and say so.
    block_s: least duration of a block, seconds; long against the sensor's period.
    least_s: seconds that `adaptive` measures at least where a sensor is read, so that what
        comes rarely or slowly (stalls, heat, power states) is seen.
    num_confirming: blocks that must confirm the stopping rule after it first holds.
    idle_s: how long idle power is measured with the device open; 0 leaves it out.
    """

    name: str = "adaptive"
    mode: Literal["adaptive", "fixed", "paper"] = "adaptive"
    relative_error: float = 0.02
    time_budget_s: float = 240.0
    min_blocks: int = 12
    max_blocks: int = 400
    block_s: float = 1.0
    least_s: float = 45.0
    num_confirming: int = 3
    num_steps: int | None = None
    num_warmup_steps: int = 0
    idle_s: float = 1.0
    disagreement: float = 0.02
    max_dropped_share: float = 0.2
