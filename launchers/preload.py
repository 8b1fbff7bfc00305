"""What the fork server imports for a task, and whether a fork of it is safe."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

_QUIET = {
    "OPENBLAS_NUM_THREADS": "1",  # else importing numpy starts threads
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # else importing pandas starts one
}
_COMMON = (
    "torch",
    "torch._dynamo",
    "torch.utils.flop_counter",
    "pandas",
    "scipy.special",
    "psutil",
    "tasks.running.execute",
    "launchers.isolated",
)
_CLASSIFICATION = ("timm", "timm.data", "timm.optim", "tasks.classification.session")
_OPENMMLAB = ("tasks.openmmlab.metered",)
_SEGMENTATION = ("mmseg.utils", "mmseg.models", "mmseg.datasets", "tasks.segmentation.session")
_ACTION = (
    "mmaction.utils",
    "mmaction.models",
    "mmaction.datasets",
    "tasks.action_recognition.session",
)
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd")  # NVIDIA's, AMD's


def import_task(task: str) -> None:
    """Import what a run of `task` imports, in a process that has one thread and stays at it.

    A module that cannot be imported is left to the run, whose record then says why. CodeCarbon and
    OpenMMLab look for a GPU at their import, which opens its driver: where there is one, a run
    imports them for itself.
    """
    _set_environment()
    _import(_COMMON)
    has_driver = any(map(os.path.exists, _DRIVERS))
    if task == "classification":
        _import(_CLASSIFICATION)
    elif not has_driver:
        with suppress(Exception):
            importlib.import_module("tasks.patches.openmmlab").install()
        _import(_OPENMMLAB)
        _import(_SEGMENTATION if task == "segmentation" else _ACTION)
    if not has_driver:
        _import(("codecarbon",))
    _remember_cpu()


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        with suppress(Exception):
            importlib.import_module(module)


_set: list[str] = []


def _set_environment() -> None:
    for name, value in _QUIET.items():
        if name not in os.environ:
            os.environ[name] = value
            _set.append(name)


def _remember_cpu() -> None:
    """CodeCarbon asks the `cpuinfo` package for the CPU's name, which takes a second."""
    with suppress(Exception):
        import cpuinfo

        cpuinfo.get_cpu_info = partial(dict, cpuinfo.get_cpu_info())


def why_unsafe() -> str:
    """Why a child of this process could misbehave; empty when it has one thread and no device."""
    if not sys.platform.startswith("linux"):
        return "" if "torch" not in sys.modules else "forks are safe on Linux alone"
    num_threads = len(os.listdir("/proc/self/task"))
    if num_threads > 1:
        return f"the imports started {num_threads - 1} threads"
    devices = sorted(filter(_is_accelerator, _open_files()))
    return f"the imports opened {devices[0]}" if devices else ""


def _open_files() -> list[str]:
    names = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            names.append(os.readlink(link))
    return names


def _is_accelerator(name: str) -> bool:
    return name.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri"))


def restore_environment() -> None:
    """In a child: the environment is the user's, and BLAS may use as many threads as in any other
    process."""
    for name in _set:
        del os.environ[name]
    if "OPENBLAS_NUM_THREADS" in _set:
        from threadpoolctl import threadpool_limits

        limit = os.environ.get("OMP_NUM_THREADS", "")
        num_threads = int(limit) if limit.isdigit() else len(os.sched_getaffinity(0))
        threadpool_limits(num_threads, user_api="blas")
