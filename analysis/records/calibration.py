"""A hardware profile's calibration against a wall meter, as a record carries it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Calibration:
    """Wall power of one machine = `factor` x its sensors' power + `offset_w`, true to `error_pct`
    percent (half-width of its 95 % interval), as found by running it at several loads behind a
    meter. A run's nodes are assumed to be
    identical machines: each adds an offset."""

    factor: float
    offset_w: float
    error_pct: float

    def wall_kwh(
        self, kwh: float, half_width: float | None, duration_s: float, num_nodes: float = 1
    ) -> tuple[float, float | None]:
        """kWh at the wall, and its half-width, for sensor `kwh` that `num_nodes` machines used
        together over `duration_s`: factor x kwh + num_nodes x offset_w x duration.

        The reading's and the calibration's errors are independent and add in quadrature.
        """
        wall = self.factor * kwh + num_nodes * self.offset_w / 1000 * duration_s / 3600
        if half_width is None:
            return wall, None
        return wall, math.hypot(self.factor * half_width, wall * self.error_pct / 100)


def calibration_of(hardware: Any) -> Calibration | None:
    """From a record's resolved hardware profile; None where it carries no (whole) calibration."""
    values = hardware.get("wall_meter") if isinstance(hardware, dict) else None
    if not isinstance(values, dict) or not values:
        return None
    numbers: list[Any] = [values.get(name) for name in ("factor", "offset_w", "error_pct")]
    if not all(isinstance(number, int | float) for number in numbers):
        return None
    return Calibration(*map(float, numbers))
