"""A second reading of the job's NVIDIA GPUs: their power, integrated, and their state.

A thread asks each board for its power several times a second. The integral is another path from
the same sensor than the energy counter: it shows a counter that stalls or is wrong, not the
sensor's own gain. It is the reading that counts where a board has no counter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

from metering.board_state import BoardState
from metering.sensors.nvml import Gpu, read_or_none

PERIOD_S = 0.1
PERIOD_WITHOUT_COUNTER_S = 0.02
STATE_PERIOD_S = 0.5
MAX_CPU_SHARE = 0.001  # of one core, for the thread
Path = Literal["average", "instant", "usage"]
"""NVML's fields `POWER_AVERAGE` (over a second, Ampere and newer) and `POWER_INSTANT`, and
`nvmlDeviceGetPowerUsage`, which is one of the two, by model and driver."""


class BoardWatch:
    """background: whether a thread samples; else whoever calls `sample`."""

    def __init__(
        self,
        gpus: Sequence[Gpu],
        clock: Callable[[], float] = time.perf_counter,
        *,
        background: bool = True,
    ) -> None:
        import pynvml

        self._nvml = pynvml
        pynvml.nvmlInit()
        self.gpus, self._clock = tuple(gpus), clock
        self._handles = [pynvml.nvmlDeviceGetHandleByIndex(gpu.index) for gpu in gpus]
        self._fields = [_power_fields(pynvml, handle) for handle in self._handles]
        self._joules: list[dict[str, float]] = [{} for _ in gpus]
        self._last: list[dict[str, float]] = [{} for _ in gpus]  # watts
        self._last_s: list[float | None] = [None for _ in gpus]
        self._changed_s = [clock() for _ in gpus]  # when a board last told another power
        self._state, self._state_s = BoardState(), -1e9
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self.sample()
        if background:
            self._thread = threading.Thread(target=self._run, name="board-watch", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        counted = all(gpu.energy_counter for gpu in self.gpus)
        least_s = PERIOD_S if counted else PERIOD_WITHOUT_COUNTER_S
        wait_s = least_s
        while not self._done.wait(wait_s):
            before_s = time.thread_time()
            self.sample()
            took_s = time.thread_time() - before_s
            wait_s = max(least_s, took_s / MAX_CPU_SHARE) if counted else least_s

    def sample(self) -> None:
        """Ask every board once."""
        for index in range(len(self.gpus)):
            watts = self._watts(index)
            now_s = self._clock()
            with self._lock:
                self._add(index, watts, now_s)
        if self._clock() - self._state_s >= STATE_PERIOD_S:
            self._state, self._state_s = self._read_state(), self._clock()

    def _watts(self, index: int) -> dict[str, float]:
        handle, fields = self._handles[index], self._fields[index]
        if not fields:
            milliwatts = read_or_none(self._nvml.nvmlDeviceGetPowerUsage, handle)
            return {} if milliwatts is None else {"usage": milliwatts / 1000}
        values = read_or_none(self._nvml.nvmlDeviceGetFieldValues, handle, list(fields.values()))
        return {
            name: value.value.uiVal / 1000
            for name, value in zip(fields, values or (), strict=False)
            if value.nvmlReturn == self._nvml.NVML_SUCCESS
        }

    def _add(self, index: int, watts: dict[str, float], now_s: float) -> None:
        """Trapezoidal rule; over a time without an answer the last one stands."""
        if not watts:
            return
        last_s, last, joules = self._last_s[index], self._last[index], self._joules[index]
        if last_s is not None:
            for name, power_w in watts.items():
                mean_w = (power_w + last.get(name, power_w)) / 2
                joules[name] = joules.get(name, 0.0) + mean_w * (now_s - last_s)
        if watts != last:
            self._changed_s[index] = now_s
        self._last[index], self._last_s[index] = watts, now_s

    def read_j(self) -> list[dict[str, float]]:
        """Joules since the start by board and path, up to now."""
        now_s = self._clock()
        with self._lock:
            return [
                {
                    name: joules.get(name, 0.0) + power_w * (now_s - (last_s or now_s))
                    for name, power_w in last.items()
                }
                for joules, last, last_s in zip(self._joules, self._last, self._last_s, strict=True)
            ]

    def still_s(self, index: int) -> float:
        """For how long board `index` has told the same power, to the milliwatt."""
        with self._lock:
            return self._clock() - self._changed_s[index]

    def latest_w(self) -> list[dict[str, float]]:
        """Watts of the latest look, by board and path."""
        with self._lock:
            return [dict(last) for last in self._last]

    def state(self) -> BoardState:
        """The latest, at most about `STATE_PERIOD_S` old."""
        return self._state

    def _read_state(self) -> BoardState:
        nvml = self._nvml

        def of_each(function: Any, *arguments: Any) -> list[float]:
            answers = (read_or_none(function, handle, *arguments) for handle in self._handles)
            return [answer for answer in answers if answer is not None]

        celsius = of_each(nvml.nvmlDeviceGetTemperature, nvml.NVML_TEMPERATURE_GPU)
        clocks = of_each(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_SM)
        reasons = of_each(nvml.nvmlDeviceGetCurrentClocksThrottleReasons)
        watts = [next(iter(last.values())) for last in self._last if last]
        bits = 0
        for reason in reasons:
            bits |= int(reason)
        return BoardState(
            power_w=sum(watts) if len(watts) == len(self.gpus) else None,
            temperature_c=max(celsius, default=None),
            sm_clock_mhz=min(clocks, default=None),
            throttle_reasons=bits if reasons else None,
        )

    def close(self) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()
        self._nvml.nvmlShutdown()


def _power_fields(nvml: Any, handle: Any) -> dict[str, int]:
    """Those of the two power fields that this board and driver answer."""
    named = {"average": nvml.NVML_FI_DEV_POWER_AVERAGE, "instant": nvml.NVML_FI_DEV_POWER_INSTANT}
    values = read_or_none(nvml.nvmlDeviceGetFieldValues, handle, list(named.values()))
    return {
        name: field
        for (name, field), value in zip(named.items(), values or (), strict=False)
        if value.nvmlReturn == nvml.NVML_SUCCESS
    }
