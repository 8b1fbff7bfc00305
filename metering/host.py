"""Facts of the machine and its software, without which a number cannot be interpreted."""

from __future__ import annotations

import os
import platform
import socket
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "torch", "torchvision", "timm", "codecarbon", "nvidia-ml-py", "mmengine", "mmcv", "mmcv-lite",
    "mmsegmentation", "mmaction2", "mmpretrain", "hydra-core", "numpy",
)  # fmt: skip


def host_facts() -> dict[str, Any]:
    """Fields of `metering.record.Host`: machine, memory, GPU states, versions."""
    return {
        "hostname": socket.gethostname(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "num_cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "gpu_states": gpu_states(),
        "packages": dict(package_versions()),
    }


def usable_cpus() -> int:
    """CPUs that this process may keep busy at once: its affinity, its container's quota, and the
    threads that the environment leaves it."""
    limits = [len(os.sched_getaffinity(0))]
    with suppress(OSError, ValueError):  # cgroup 2; "max" where there is no quota
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="utf-8").split()
        limits.append(max(1, round(int(quota) / int(period))))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        with suppress(ValueError):
            limits.append(max(1, int(os.environ.get(name, ""))))
    return min(limits)


@cache
def cpu_model() -> str:
    """The name that /proc/cpuinfo gives, else the architecture."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


@cache
def package_versions() -> tuple[tuple[str, str], ...]:
    versions = []
    for name in PACKAGES:
        try:
            versions.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(versions)


def gpu_states() -> list[dict[str, Any]]:
    """Driver, power limit (W), clocks (MHz), temperature (C) and throttling of every GPU that
    answers; what one does not tell is None."""
    from metering.sensors.nvml import session, text

    with session() as nvml:
        if nvml is None:
            return []
        driver = text(nvml.nvmlSystemGetDriverVersion())
        states = []
        for index in range(nvml.nvmlDeviceGetCount()):
            with suppress(nvml.NVMLError):  # a neighbour that is lost, or not ours to ask
                states.append({"index": index, "driver": driver} | _gpu_state(nvml, index))
        return states


def _gpu_state(nvml: Any, index: int) -> dict[str, Any]:
    from metering.sensors.nvml import read_or_none, text

    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    limit_mw = read_or_none(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    return {
        "name": text(nvml.nvmlDeviceGetName(handle)),
        "uuid": text(nvml.nvmlDeviceGetUUID(handle)),
        "power_limit_w": None if limit_mw is None else limit_mw / 1000,
        "sm_clock_mhz": read_or_none(nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_SM),
        "memory_clock_mhz": read_or_none(nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_MEM),
        "temperature_c": read_or_none(
            nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU
        ),
        "throttle_reasons": read_or_none(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle),
    }
