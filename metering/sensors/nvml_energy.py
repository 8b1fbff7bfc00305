"""Energy counters of NVIDIA GPUs, and the processes that compute on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from metering.sensors.nvml import Gpu, read_or_none


class NvmlEnergy:
    """NVML's energy counters of `gpus`, which move about every 100 ms.

    Several boards are asked at once: a call takes up to milliseconds, in which the GPUs idle.
    """

    def __init__(self, gpus: Sequence[Gpu]) -> None:
        import pynvml

        self._nvml = pynvml
        pynvml.nvmlInit()
        self.gpus = tuple(gpus)
        self._handles = {gpu: pynvml.nvmlDeviceGetHandleByIndex(gpu.index) for gpu in gpus}
        self._pool = ThreadPoolExecutor(len(gpus)) if len(gpus) > 1 else None

    @staticmethod
    def errors() -> type[Exception]:
        """What a reading raises when a GPU does not answer."""
        import pynvml

        error: type[Exception] = pynvml.NVMLError
        return error

    def read_j(self) -> dict[str, float]:
        """Joules by UUID, of those that have a counter. Raises `pynvml.NVMLError` when a GPU no
        longer answers."""
        counted = [gpu for gpu in self.gpus if gpu.energy_counter]
        return dict(
            zip((gpu.uuid for gpu in counted), self._each(self._joules, counted), strict=True)
        )

    def _joules(self, gpu: Gpu) -> float:
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handles[gpu])) / 1000

    def _each(self, read: Callable[[Gpu], float], gpus: Sequence[Gpu]) -> list[float]:
        if self._pool is None or len(gpus) < 2:
            return [read(gpu) for gpu in gpus]
        return list(self._pool.map(read, gpus))

    def limits_w(self) -> dict[str, float | None]:
        """The power limits that are enforced now, by UUID."""
        limits: dict[str, float | None] = {}
        for gpu, handle in self._handles.items():
            limit_mw = read_or_none(self._nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
            limits[gpu.uuid] = None if limit_mw is None else limit_mw / 1000
        return limits

    def computing_pids(self) -> set[int]:
        """Process ids that compute on these GPUs, ours among them."""
        pids: set[int] = set()
        for handle in self._handles.values():
            running: Any = read_or_none(self._nvml.nvmlDeviceGetComputeRunningProcesses, handle)
            pids.update(process.pid for process in running or ())
        return pids

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._nvml.nvmlShutdown()
