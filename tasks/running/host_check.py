"""A run's machines must be what its hardware profile says, or nothing is measured."""

from __future__ import annotations

import os
import socket

from metering.ranks import Ranks
from tasks.errors import PlanError
from tasks.plan import HardwarePlan


def require(hardware: HardwarePlan, ranks: Ranks) -> None:
    """Raises `PlanError`, on every rank, when the node of any rank does not have enough of the
    GPU that the profile names. Collective."""
    if hardware.gpu is None:
        return
    found = ranks.gather(mismatch(hardware))
    wrong = None if found is None else next((line for line in found if line), None)
    wrong = ranks.broadcast(wrong)
    if wrong:
        raise PlanError(wrong)


def mismatch(hardware: HardwarePlan) -> str | None:
    """What this node lacks of the profile, in one line that names the node."""
    import torch

    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if sum(name == hardware.gpu for name in names) >= hardware.devices:
        return None
    found = ", ".join(f"{names.count(name)} x {name}" for name in sorted(set(names))) or "none"
    node = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
    return (
        f"hardware={hardware.name} expects {hardware.devices} x {hardware.gpu} on each node; "
        f"found {found} on {node}; use hardware=local"
    )
