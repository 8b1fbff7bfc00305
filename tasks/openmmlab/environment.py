"""The process as MMEngine expects it: device, ranks, process group."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from metering.ranks import Ranks
from tasks.errors import PlanError
from tasks.patches import mmengine
from tasks.plan import Plan
from tasks.running import device as devices

if TYPE_CHECKING:
    import torch
    from mmengine.config import Config


def choose_device(plan: Plan, ranks: Ranks) -> torch.device:
    """This rank's device, also made MMEngine's own choice. Raises `PlanError`."""
    device = devices.choose(plan.hardware.accelerator, ranks.local_rank)
    devices.set_precision(plan.precision, device)
    if device.type == "cpu" and plan.precision in ("fp16", "bf16"):
        raise PlanError(
            f"precision={plan.precision} needs a GPU for task={plan.task} "
            "(MMEngine's AMP has no CPU path); use precision=fp32"
        )
    mmengine.use_device(device.type)
    return device


def configure_ranks(config: Config, ranks: Ranks, device: torch.device) -> None:
    """Tell MMEngine's Runner of the ranks. A process group that exists already is used."""
    if ranks.num_ranks == 1:
        config.launcher = "none"
        return
    config.launcher = "pytorch"
    os.environ.setdefault("RANK", str(ranks.rank))
    os.environ.setdefault("WORLD_SIZE", str(ranks.num_ranks))
    os.environ.setdefault("LOCAL_RANK", str(ranks.local_rank))
    backend = "gloo" if device.type == "cpu" else "nccl"
    config.env_cfg = {**(config.get("env_cfg") or {}), "dist_cfg": {"backend": backend}}
    if device.type == "cpu":
        # the Runner would hand DistributedDataParallel a GPU index
        config.model_wrapper_cfg = {
            "type": "MMDistributedDataParallel",
            "device_ids": None,
            "broadcast_buffers": False,
            "find_unused_parameters": config.get("find_unused_parameters", False),
        }
