"""The device that one rank computes on."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from metering.sensors.nvml import GpuError, MaskError, driver_problem, job_gpus
from tasks.errors import OutOfMemory, PlanError

if TYPE_CHECKING:
    import torch


def uses_gpu(accelerator: str) -> bool:
    """Whether a run with this `hardware.accelerator` computes on a GPU."""
    if accelerator == "cpu":
        return False
    import torch

    return torch.cuda.is_available()


SINCE_MAJOR = 8  # Ampere: the first with bf16 and tf32 in its tensor cores


CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Of a container's memory, version 2 and 1."""


@cache
def _all_threads() -> int:
    import torch

    return torch.get_num_threads()


def set_threads(num_threads: int | None) -> None:
    """CPU threads of PyTorch's operators; None: as many as it started with."""
    import torch

    all_threads = _all_threads()  # before the first run of a sweep sets its own number
    torch.set_num_threads(num_threads or all_threads)


def choose(accelerator: str, local_rank: int) -> torch.device:
    """`auto` takes the rank's GPU where there is one, else the CPU."""
    import torch

    if not uses_gpu(accelerator):
        if accelerator != "cuda":
            if accelerator == "auto":
                refuse_unused_gpu()
            return torch.device("cpu")
        raise PlanError(
            "hardware.accelerator=cuda, but PyTorch sees no CUDA device; "
            "use hardware.accelerator=cpu or repair the driver"
        )
    if local_rank >= torch.cuda.device_count():
        raise PlanError(
            f"hardware.devices asks for GPU {local_rank} of this node, but PyTorch sees "
            f"{torch.cuda.device_count()}; lower hardware.devices"
        )
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def refuse_unused_gpu() -> None:
    """Raises `PlanError` where this job has an NVIDIA GPU that PyTorch does not use, be it that the
    driver does not work, that PyTorch was built without CUDA, or that the two do not fit: under
    `auto` a run would otherwise be one on the CPU, and say nothing."""
    problem = driver_problem()
    if problem is not None:
        raise PlanError(
            "hardware.accelerator=auto, and this machine's NVIDIA driver cannot be used: "
            f"{problem} Repair it, or use hardware.accelerator=cpu"
        )
    try:
        shown = ", ".join(gpu.name for gpu in job_gpus())
    except (GpuError, MaskError) as error:
        raise PlanError(
            f"hardware.accelerator=auto, and {error}; or use hardware.accelerator=cpu"
        ) from None
    if shown:
        raise PlanError(
            f"hardware.accelerator=auto, and this job has {shown}, which {_cuda_problem()}; "
            "install a PyTorch that fits the driver, or use hardware.accelerator=cpu"
        )


def _cuda_problem() -> str:
    import torch

    words = "it names no reason"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        words = str(error).splitlines()[0].rstrip(".")
    return f"PyTorch {torch.__version__} cannot use: {words}"


def refuse_emulated(precision: str, device: torch.device) -> None:
    """Raises `PlanError` where `device` has no arithmetic of `precision` of its own: bf16 is then
    emulated, and tf32 is plain fp32 under another name."""
    import torch

    if precision not in ("bf16", "tf32"):
        return
    if device.type == "cpu":
        if precision == "tf32":
            raise PlanError("precision=tf32 is plain fp32 on a CPU; use precision=fp32")
        return
    major, minor = torch.cuda.get_device_capability(device)
    if major < SINCE_MAJOR and torch.version.hip is None:
        raise PlanError(
            f"precision={precision} needs compute capability {SINCE_MAJOR}.0, and "
            f"{torch.cuda.get_device_name(device)} has {major}.{minor}; use precision=fp16 or fp32"
        )


def refuse_override(precision: str, device: torch.device) -> None:
    """Raises `PlanError` where the environment makes NVIDIA's libraries compute in another
    precision than is asked for: PyTorch's own settings would not count."""
    override = os.environ.get("NVIDIA_TF32_OVERRIDE")
    if device.type == "cuda" and (precision, override) in (("fp32", "1"), ("tf32", "0")):
        raise PlanError(
            f"precision={precision} is not what NVIDIA_TF32_OVERRIDE={override} makes of it; "
            "unset that variable"
        )


def uuid(accelerator: str, local_rank: int) -> str | None:
    """The driver's name of this rank's GPU; None on a CPU, or where PyTorch does not tell."""
    import torch

    if not uses_gpu(accelerator):
        return None
    device_uuid = getattr(torch.cuda.get_device_properties(local_rank), "uuid", None)
    return None if device_uuid is None else str(device_uuid)


def set_precision(precision: str, device: torch.device) -> None:
    """fp32 means full 32-bit products; tf32 lets both cuBLAS and cuDNN use TF32. Raises `PlanError`
    where `device` only emulates it."""
    import torch

    refuse_emulated(precision, device)
    refuse_override(precision, device)
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True


@contextmanager
def memory_errors(batch_size: int) -> Iterator[None]:
    """Out of memory, on any device, as `OutOfMemory`."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(batch_size, str(error).splitlines()[0]) from None
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):  # PyTorch's words for a CPU's
            raise
        raise OutOfMemory(batch_size, str(error).splitlines()[0]) from None


def synchronize(device: torch.device) -> None:
    """Return when all work queued on `device` is done."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def reset_peak_memory(accelerator: str) -> None:
    """Begin a new peak, before a phase; on a GPU that of the rank's own (`choose`).

    Linux alone lets a process begin a new peak of resident memory (5 into
    /proc/self/clear_refs, proc(5)); elsewhere, and where a container forbids it, the peak
    stays the process's lifetime maximum.
    """
    import torch

    if uses_gpu(accelerator):
        torch.cuda.reset_peak_memory_stats()
        return
    _return_freed_memory()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _return_freed_memory() -> None:
    """What an earlier run of a sweep freed stays resident until glibc is asked; else a small
    network after a large one would have the large one's peak."""
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def peak_memory_mib(device: torch.device) -> float | None:
    """Peak allocated device memory since `reset_peak_memory`, MiB; on a CPU the process's peak
    resident memory, libraries included.

    Of this process alone: a loader's workers are others and are not in it. What an earlier
    phase of the run left (gradients, optimizer state) is.
    """
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):  # VmHWM:  12345 kB
                return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # getrusage(2): KiB


def total_memory(device: torch.device, ranks_per_node: int = 1) -> int:
    """Bytes of the device's memory; on a CPU the rank's share of what this process may use of the
    machine's."""
    import psutil
    import torch

    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    allowed = int(psutil.virtual_memory().total)
    for file in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # no such file, or `max`
            allowed = min(allowed, int(Path(file).read_text(encoding="ascii")))
    return allowed // ranks_per_node


def release(device: torch.device) -> None:
    """Give cached device memory back, so that the next run of a sweep starts from none."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()
