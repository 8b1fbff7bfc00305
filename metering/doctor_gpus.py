"""The doctor's checks of GPUs: each yields what it finds, as lines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from metering.doctor_checks import Line, guarded
from metering.host import gpu_states
from metering.sensors import amd
from metering.sensors.nvml import (
    Gpu,
    GpuError,
    MaskError,
    all_gpus,
    driver_problem,
    job_gpus,
    mask_of,
)
from metering.sensors.nvml_energy import NvmlEnergy
from metering.sensors.own_readers import strangers

POWER_BITS = 0x4 | 0x80  # NVML's clocks-event reasons: software power cap, hardware power brake
HEAT_BITS = 0x20 | 0x40  # software and hardware thermal slowdown

DRIVER_CURE = (
    "reinstall the driver, or restart the machine after an update of it; "
    "hardware.accelerator=cpu runs without it"
)
NVIDIA_CURE = "see nvidia-smi and the kernel's log (Xid); reset the GPU, or start the machine anew"


def gpus(environment: Mapping[str, str]) -> Iterator[Line]:
    problem = driver_problem()
    if problem is not None:
        yield Line("gpu", "failure", f"NVML cannot be used: {problem}", DRIVER_CURE)
        return
    every, silent = all_gpus()
    for index, words in silent:
        yield from _silent(index, words, every, environment)
    if every or silent:
        yield from _nvidia(every, len(every) + len(silent), environment)
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


def _silent(
    index: int, words: str, every: Sequence[Gpu], environment: Mapping[str, str]
) -> Iterator[Line]:
    """A GPU that does not answer: of no matter to a job that was not given it."""
    try:
        job_gpus(environment)
    except GpuError:
        yield Line(f"gpu {index}", "failure", f"does not answer: {words}", NVIDIA_CURE)
    except MaskError:
        pass  # said by itself
    else:
        cure = f"{NVIDIA_CURE}; jobs on the other {len(every)} GPUs go on"
        yield Line(f"gpu {index}", "warning", f"does not answer: {words}", cure)


def _nvidia(every: Sequence[Gpu], num_gpus: int, environment: Mapping[str, str]) -> Iterator[Line]:
    try:
        gpus = job_gpus(environment)
    except GpuError:
        return  # said by itself
    except MaskError as error:
        yield Line("gpu mask", "failure", str(error), "export CUDA_DEVICE_ORDER=PCI_BUS_ID")
        return
    mask = mask_of(environment, num_gpus)
    written = "=".join(mask) if mask else "no mask"
    if not gpus:
        yield Line(
            "gpu mask",
            "failure",
            f"{written} names none of the {num_gpus} GPUs",
            "unset it or name GPUs by index or UUID",
        )
        return
    named = ", ".join(str(gpu.index) for gpu in gpus)
    yield Line("gpu mask", "ok", f"the job's GPUs: {named} of {num_gpus} ({written})")
    if mask and mask[0] != "CUDA_VISIBLE_DEVICES" and list(gpus) != list(every[: len(gpus)]):
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
