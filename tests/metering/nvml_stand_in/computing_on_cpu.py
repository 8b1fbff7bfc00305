"""A machine whose GPUs are the stand-in's: the meter reads them, and only the choice of the device
is replaced, so that tensors stay on the CPU. STAND_IN_UUID names the GPU in use, or all of them
with commas between, of which CUDA_VISIBLE_DEVICES then has the places."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tasks.running import device

if TYPE_CHECKING:
    import torch


def install() -> None:
    """For this process; imports no PyTorch."""
    device.uses_gpu = lambda accelerator: True
    device.choose = _cpu
    device.uuid = _uuid
    device.reset_peak_memory = lambda accelerator: None


def _uuid(accelerator: str, local_rank: int) -> str:
    uuids = os.environ["STAND_IN_UUID"].split(",")
    if len(uuids) == 1:
        return uuids[0]
    return uuids[int(os.environ["CUDA_VISIBLE_DEVICES"].split(",")[local_rank])]


def _cpu(accelerator: str, local_rank: int) -> torch.device:
    import torch

    return torch.device("cpu")
