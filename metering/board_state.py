"""The state of a job's GPU boards at one instant, as the record keeps it."""

from __future__ import annotations

from pydantic import ConfigDict, FiniteFloat
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class BoardState:
    """The job's boards at one instant; `None`: none of them tells.

    power_w: sum over the boards; temperature_c: of the hottest; sm_clock_mhz: of the slowest;
    throttle_reasons: NVML's clocks-event bits of all boards together.
    """

    power_w: FiniteFloat | None = None
    temperature_c: FiniteFloat | None = None
    sm_clock_mhz: FiniteFloat | None = None
    throttle_reasons: int | None = None
