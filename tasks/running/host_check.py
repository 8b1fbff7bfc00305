"""A run's machines must be what its hardware profile says, or nothing is measured."""

from __future__ import annotations

import os
import socket

from metering.ranks import Ranks
from metering.sensors.nvml import job_gpus
from tasks.errors import PlanError
from tasks.plan import HardwarePlan

TOLERANCE_W = 1.0  # of a limit in force, which drivers round


def require(hardware: HardwarePlan, ranks: Ranks) -> None:
    """Raises `PlanError`, on every rank, when the node of any rank does not have enough of the
    GPU that the profile names, or a board has another power limit than is asked for. Collective."""
    if hardware.gpu is None and hardware.power_limit_w is None:
        return
    mismatches = ranks.gather(mismatch(hardware) or other_limit(hardware))
    wrong = None if mismatches is None else next((line for line in mismatches if line), None)
    wrong = ranks.broadcast(wrong)
    if wrong:
        raise PlanError(wrong)


def mismatch(hardware: HardwarePlan) -> str | None:
    """What this node lacks of the profile, in one line that names the node."""
    if hardware.gpu is None:
        return None
    import torch

    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if sum(name == hardware.gpu for name in names) >= hardware.devices:
        return None
    present = ", ".join(f"{names.count(name)} x {name}" for name in sorted(set(names))) or "none"
    node = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
    return (
        f"hardware={hardware.name} expects {hardware.devices} x {hardware.gpu} on each node; "
        f"found {present} on {node}; use hardware=local"
    )


def other_limit(hardware: HardwarePlan) -> str | None:
    """Which board does not have the power limit that is asked for, in one line."""
    asked_w = hardware.power_limit_w
    if asked_w is None:
        return None
    for gpu in job_gpus(num_gpus=hardware.devices):
        if gpu.board_power_w is None or abs(gpu.board_power_w - asked_w) > TOLERANCE_W:
            limit = (
                "no limit that it tells"
                if gpu.board_power_w is None
                else f"{gpu.board_power_w:g} W"
            )
            return (
                f"hardware.power_limit_w={asked_w:g}, and {gpu.name} ({gpu.uuid}) is held at "
                f"{limit}; see nvidia-smi -q -d POWER"
            )
    return None
