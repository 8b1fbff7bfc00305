"""How warm the device is, before a run."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psutil

from metering.sensors.nvml import MaskError, job_gpus, read_or_none, session

_CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")


def device_temperature_c() -> float | None:
    """Of the warmest of the job's GPUs, degrees Celsius; without a GPU of the CPU; None where no
    sensor tells."""
    boards = _gpu_temperatures_c()
    return max(boards) if boards else _cpu_temperature_c()


def _gpu_temperatures_c() -> list[float]:
    temperatures = []
    with suppress(MaskError), session() as nvml:
        if nvml is None:
            return []
        for gpu in job_gpus():
            handle = nvml.nvmlDeviceGetHandleByIndex(gpu.index)
            read = read_or_none(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
            if read is not None:
                temperatures.append(float(read))
    return temperatures


def _cpu_temperature_c() -> float | None:
    sensors: dict[str, list[Any]] = getattr(psutil, "sensors_temperatures", dict)()
    read = [sensor.current for name in _CPU_SENSORS for sensor in sensors.get(name, ())]
    return max(read, default=None)
