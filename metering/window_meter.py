"""What a window needs of the meter that opens it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from metering.block import Block, Task
from metering.ranks import Ranks
from metering.record import Component, Overhead, Sensor
from metering.sensors.host_load import CpuTimes
from metering.sensors.nvml import Gpu
from metering.settings import MeterSettings


class WindowMeter(Protocol):
    """See `metering.meter.Meter`, which is one. `begin_...` and `end_...` are collective."""

    settings: MeterSettings
    ranks: Ranks
    sensor_period_s: float
    task_cost_s: float
    latency_s: float
    counts_gpus: bool
    idle_power_w: float | None
    clock_skew_s: float
    all_gpus: Sequence[Gpu]
    overheads: list[Overhead]
    emission_factor: dict[str, Any] | None

    def clock(self) -> float:
        """Seconds, of a clock that only moves forward."""

    def sleep(self, seconds: float, /) -> None: ...

    def say(self, news: Any, /) -> None:
        """Tell whoever looks on."""

    def begin_task(self) -> None: ...

    def end_task(self) -> Task | None: ...

    def begin_block(self) -> None: ...

    def end_block(self) -> Block | None: ...

    def resume(self) -> None: ...

    def cut(self) -> tuple[Block | None, Task | None]: ...

    def sensors(self) -> Mapping[Component, Sensor]: ...

    def cpu_times(self) -> CpuTimes | None: ...
