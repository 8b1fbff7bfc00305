"""The doctor's checks: each yields what it finds, as lines."""

from __future__ import annotations

import configparser
import ctypes
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from metering.host import cpu_model, gpu_states
from metering.sensors import amd, rapl
from metering.sensors.nvml import Gpu, MaskError, job_gpus, mask_of
from metering.sensors.nvml_energy import NvmlEnergy
from metering.sensors.own_readers import strangers

POWER_BITS = 0x4 | 0x80  # NVML's clocks-event reasons: software power cap, hardware power brake
HEAT_BITS = 0x20 | 0x40  # software and hardware thermal slowdown


@dataclass(frozen=True)
class Line:
    """One finding. `cure` says what to do about a warning or failure."""

    topic: str
    level: Literal["ok", "warning", "failure"]
    finding: str
    cure: str = ""


def guarded(topic: str, check: Callable[[], Iterator[Line]], cure: str) -> Iterator[Line]:
    """The lines of `check`; an error that ends it is a failure with `cure`."""
    try:
        yield from check()
    except Exception as error:
        yield _broken(topic, error, cure)


def _broken(topic: str, error: Exception, cure: str) -> Line:
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return Line(topic, "failure", f"cannot be examined: {said}", cure)


NVIDIA_CURE = "see nvidia-smi and the kernel's log (Xid); reset the GPU, or start the machine anew"


def gpus(environment: Mapping[str, str]) -> Iterator[Line]:
    every = job_gpus({})
    if every:
        yield from _nvidia(every, environment)
    else:
        yield from guarded(
            "gpu",
            lambda: _amd(environment),
            "see amd-smi list: the amdgpu driver must run, and amdsmi be of the same ROCm",
        )


def _amd(environment: Mapping[str, str]) -> Iterator[Line]:
    try:
        every, indices = amd.job_gpu_indices({}), amd.job_gpu_indices(environment)
    except MaskError as error:
        yield Line("gpu mask", "failure", str(error), "name AMD GPUs in ROCR_VISIBLE_DEVICES alone")
        return
    if indices:
        named = ", ".join(map(str, indices))
        yield Line("gpu", "ok", f"the job's AMD GPUs: {named}; CodeCarbon alone reads them")
    elif every:
        yield Line(
            "gpu mask",
            "failure",
            f"ROCm's masks leave none of the {len(every)} AMD GPUs",
            "see ROCR_VISIBLE_DEVICES, HIP_VISIBLE_DEVICES and CUDA_VISIBLE_DEVICES; set one alone",
        )
    else:
        yield Line(
            "gpu",
            "warning",
            "neither NVML nor AMD SMI shows a GPU; GPU energy will be absent",
            "install the NVIDIA driver if this machine has one; else use hardware.accelerator=cpu",
        )


def _nvidia(every: tuple[Gpu, ...], environment: Mapping[str, str]) -> Iterator[Line]:
    try:
        gpus = job_gpus(environment)
    except MaskError as error:
        yield Line("gpu mask", "failure", str(error), "export CUDA_DEVICE_ORDER=PCI_BUS_ID")
        return
    mask = mask_of(environment, len(every))
    written = "=".join(mask) if mask else "no mask"
    if not gpus:
        yield Line(
            "gpu mask",
            "failure",
            f"{written} names none of the {len(every)} GPUs",
            "unset it or name GPUs by index or UUID",
        )
        return
    named = ", ".join(str(gpu.index) for gpu in gpus)
    yield Line("gpu mask", "ok", f"the job's GPUs: {named} of {len(every)} ({written})")
    if mask and mask[0] != "CUDA_VISIBLE_DEVICES" and gpus != every[: len(gpus)]:
        yield Line(
            "gpu mask",
            "failure",
            "CUDA_VISIBLE_DEVICES is unset: CUDA computes on the first of all GPUs, "
            f"not on {written}",
            f"export CUDA_VISIBLE_DEVICES=${mask[0]}",
        )
    try:
        job_gpus(environment, num_gpus=1)
    except MaskError as error:
        yield Line("gpu mask", "warning", str(error), "export CUDA_DEVICE_ORDER=PCI_BUS_ID")
    states = {state["uuid"]: state for state in gpu_states()}
    for gpu in gpus:
        yield from guarded(f"gpu {gpu.index}", partial(_gpu, gpu, states[gpu.uuid]), NVIDIA_CURE)


def _gpu(gpu: Gpu, state: dict[str, Any]) -> Iterator[Line]:
    topic = f"gpu {gpu.index}"
    yield Line(
        topic,
        "ok",
        f"{gpu.name}, driver {state['driver']}, power limit {state['power_limit_w']} W, SM clock "
        f"{state['sm_clock_mhz']} MHz, memory clock {state['memory_clock_mhz']} MHz, "
        f"{state['temperature_c']} C",
    )
    if gpu.energy_counter:
        yield Line(topic, "ok", "energy counter readable")
    else:
        yield Line(
            topic,
            "warning",
            "no energy counter; power is sampled and integrated",
            "use a GPU of the Volta generation or newer, or update the driver",
        )
    if gpu.mig:
        yield Line(
            topic,
            "warning",
            "a MIG instance is metered as its whole GPU",
            "keep the GPU's other instances idle, or switch MIG off",
        )
    reasons = state["throttle_reasons"] or 0
    if reasons & HEAT_BITS:
        yield Line(
            topic, "warning", "clocks are lowered by heat", "let the GPU cool, check its fans"
        )
    if reasons & POWER_BITS:
        yield Line(
            topic,
            "warning",
            "clocks are lowered by the power limit",
            "see nvidia-smi -q -d POWER; record the limit with the result",
        )
    with closing(NvmlEnergy([gpu])) as reader:
        others = strangers(reader.computing_pids(), [os.getpid()])
    if others:
        yield Line(
            topic,
            "warning",
            f"other processes compute on it: {others}",
            "wait for them, or ask the scheduler for the GPU alone",
        )


def cpu() -> Iterator[Line]:
    domains = rapl.readable_domains()
    if domains:
        names = ", ".join(domain.name for domain in domains)
        yield Line("cpu", "ok", f"{cpu_model()}: RAPL readable ({names})")
    elif rapl.present():
        yield Line(
            "cpu",
            "warning",
            f"{cpu_model()}: RAPL is there but not readable; energy is modelled",
            f"sudo chmod -R a+r {rapl.POWERCAP}/intel-rapl:*/energy_uj",
        )
    else:
        yield Line("cpu", "warning", f"{cpu_model()}: no RAPL; energy is modelled", _LABEL)
    if all(domain.name != "dram" for domain in domains):
        yield Line("ram", "warning", "no readable counter; memory energy is modelled", _LABEL)


_LABEL = "nothing to do; records tag the reading as modelled"


def codecarbon(environment: Mapping[str, str], home: Path | None) -> Iterator[Line]:
    """home: None for the user's own. CodeCarbon reads variables in capitals or not, and a file
    in each of two folders (codecarbon 3.3, core/config.py)."""
    stray = sorted(name for name in environment if name.lower().startswith("codecarbon_"))
    faults: list[Line] = []
    places = (
        (lambda: home or Path.home(), "set HOME to a folder that this user may read"),
        (Path.cwd, "go to a folder that is there: without one CodeCarbon cannot start"),
    )
    files: dict[Path, str] = {}
    for place, cure in places:
        try:
            path = place() / ".codecarbon.config"
            if path.is_file():
                files[path] = _config_fault(path)
        except (OSError, RuntimeError) as error:
            faults.append(_broken("codecarbon", error, cure))
    for path, fault in files.items():
        if fault:
            # the error is swallowed in the tracker's constructor and comes up at its first use
            cure = "repair or remove it: CodeCarbon's tracker fails on it, and with it every run"
            faults.append(Line("codecarbon", "failure", f"{path}: {fault}", cure))
        else:
            stray.append(str(path))
    yield from faults
    if stray:
        yield Line(
            "codecarbon",
            "warning",
            f"configuration that this suite overrides: {', '.join(stray)}",
            "remove it, so that other tools agree with this suite",
        )
    elif not faults:
        yield Line("codecarbon", "ok", "no stray configuration")


def _config_fault(path: Path) -> str:
    """Why CodeCarbon, which reads the file in this way, would stumble over it; empty if not."""
    parser = configparser.ConfigParser()
    try:
        parser.read(path)
        if parser.has_section("codecarbon"):
            dict(parser["codecarbon"])  # a lone % shows only now
    except (configparser.Error, ValueError) as error:
        return " ".join(str(error).split())
    return ""


def clock() -> Iterator[Line]:
    """The wall clock must keep pace with the monotonic one, or timestamps and durations part; and
    it must be synchronised, or those of several nodes do."""
    wall_s, steady_s = time.time(), time.monotonic()
    while time.monotonic() - steady_s < 0.2:
        time.sleep(0.02)
    skew = abs((time.time() - wall_s) / (time.monotonic() - steady_s) - 1)
    if skew > 0.01:
        yield Line(
            "clock",
            "warning",
            f"the wall clock runs {100 * skew:.1f} % off the steady clock",
            "check the time service (chrony, systemd-timesyncd)",
        )
    else:
        yield Line("clock", "ok", "the wall clock keeps pace with the steady clock")
    cure = "start a time service (chrony, systemd-timesyncd) where a run spans several nodes"
    error_s = kernel_clock_error_s()
    if error_s is None:
        finding = "whether the wall clock is synchronised is unknown: the kernel does not tell"
        yield Line("clock", "warning", finding, cure)
    elif error_s >= UNSYNCHRONISED_S:
        yield Line("clock", "warning", "the wall clock is not synchronised with any other", cure)
    else:
        yield Line("clock", "ok", f"the wall clock is synchronised, within {error_s:.3f} s")


UNSYNCHRONISED_S = 16.0  # where the kernel's bound ends; timedatectl's NTPSynchronized, too


class _Timex(ctypes.Structure):
    """The head of the C library's `struct timex`, and more room than the rest of it takes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_long * 60),
    )


def kernel_clock_error_s() -> float | None:
    """The most by which the wall clock may be wrong, seconds; it grows while no time service sets
    it. None where the kernel does not tell (another system, a sandbox). See adjtimex(2)."""
    timex = _Timex(modes=0)  # 0: read, change nothing
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    # a bound of nothing: a sandbox that answers without the kernel
    return None if state < 0 or timex.maxerror <= 0 else timex.maxerror / 1e6
