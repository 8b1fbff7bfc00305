"""A pause before a run, so that it begins as warm as the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from metering.sensors.temperature import device_temperature_c
from tasks.errors import PlanError

IDLE = "idle"
WITHIN_C = 2.0  # of the temperature that the device had before the first run
LONGEST_S = 900.0
POLL_S = 1.0


class CoolDown:
    """asked: seconds, or `idle`: until the device is back within `WITHIN_C` of the temperature
    that it had when this was made. Raises `PlanError` where no device tells its temperature."""

    def __init__(
        self,
        asked: float | str,
        temperature_c: Callable[[], float | None] = device_temperature_c,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._temperature_c, self._sleep = temperature_c, sleep
        self._idle_c = temperature_c() if asked == IDLE else None
        if asked == IDLE and self._idle_c is None:
            raise PlanError(
                "hydra.launcher.cooldown_s=idle needs a device that tells its temperature; "
                "give a number of seconds"
            )
        self.asked: float | Literal["idle"] = "idle"
        if asked != IDLE:
            self.asked = float(asked)

    def wait(self, say: Callable[[str], None]) -> None:
        """Pause as asked; at most `LONGEST_S` for a temperature."""
        if self._idle_c is None:
            if isinstance(self.asked, float) and self.asked > 0:
                say(f"cooling down for {self.asked:g} s")
                self._sleep(self.asked)
            return
        waited_s = 0.0
        while (now_c := self._temperature_c()) is not None and now_c > self._idle_c + WITHIN_C:
            if waited_s >= LONGEST_S:
                say(f"still {now_c:.0f} degrees after {LONGEST_S:.0f} s; going on")
                return
            if waited_s == 0:
                say(f"cooling down from {now_c:.0f} to {self._idle_c + WITHIN_C:.0f} degrees")
            self._sleep(POLL_S)
            waited_s += POLL_S
