"""What is changed of CodeCarbon 3.3, all in one place; each has a test of what it relies on.

- It asks every GPU of the node, at its start and in each task: one that is lost, or that this user
  may not ask, ends every job there. Here it gets the job's boards alone.
- It looks for NVIDIA's boards only where `nvidia-smi` can be executed, which images leave out.
- It reads `.codecarbon.config` and `CODECARBON_*`: a broken file fails every tracker, and every
  setting is passed to ours explicitly.
- An error within its tracker's constructor is only logged, and what is left of the tracker fails
  later, for another reason. Here it comes out.
- In a job of SLURM it asks `scontrol` for CPUs and memory, whenever it models the memory's power:
  a container without it ends the run, and so does memory of no whole GB ("62.50G"). Where CPU and
  memory are metered the job has its node alone, so the machine's own count is right.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def set_up(nvidia_indices: Sequence[int] | None) -> Iterator[None]:
    """While CodeCarbon's tracker is made and detects the hardware. nvidia_indices: of the job's
    boards, in NVML's order; `None` where they are AMD's, or none."""
    from codecarbon import emissions_tracker
    from codecarbon.core import gpu, hardware_cache, util
    from codecarbon.external import ram
    from codecarbon.external.hardware import GPU

    util.SLURM_JOB_ID = ram.SLURM_JOB_ID = None  # for good: each reading looks at it
    with ExitStack() as stack:

        def replaced(place: Any, name: str, value: Any) -> None:
            stack.enter_context(patch.object(place, name, value))

        replaced(emissions_tracker, "get_hierarchical_config", dict)
        tracker = emissions_tracker.OfflineEmissionsTracker
        replaced(tracker, "__init__", inspect.unwrap(tracker.__init__))
        if nvidia_indices is not None:
            indices = list(nvidia_indices)
            replaced(gpu, "is_nvidia_system", lambda: True)
            replaced(GPU, "from_utils", lambda gpu_ids=None: _only(indices))
            hardware_cache.clear_cache()  # of this process's earlier run, with other boards
        yield


def _only(indices: list[int]) -> Any:
    """CodeCarbon's reader of GPUs with these boards alone."""
    from codecarbon.core import gpu
    from codecarbon.external import hardware

    with patch.object(hardware, "AllGPUDevices", lambda: _boards(indices)):
        reader = hardware.GPU(gpu_ids=indices)
    reader._gpu_ids_resolved = True
    assert isinstance(reader.devices, gpu.AllGPUDevices)
    return reader


def _boards(indices: list[int]) -> Any:
    from codecarbon.core import gpu, gpu_nvidia

    nvml = gpu_nvidia.pynvml
    nvml.nvmlInit()
    boards = gpu.AllGPUDevices.__new__(gpu.AllGPUDevices)
    boards.devices = [
        gpu_nvidia.NvidiaGPUDevice(handle=nvml.nvmlDeviceGetHandleByIndex(index), gpu_index=index)
        for index in indices
    ]
    boards.device_count = len(indices)
    return boards
