"""A run's machine must be what its hardware profile says, or nothing is measured."""

from __future__ import annotations

from tasks.errors import PlanError
from tasks.plan import HardwarePlan


def require(hardware: HardwarePlan) -> None:
    """Raises `PlanError` when the profile names a GPU that this machine does not have enough of."""
    if hardware.gpu is None:
        return
    import torch

    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if names.count(hardware.gpu) < hardware.devices:
        found = ", ".join(sorted(set(names))) or "none"
        raise PlanError(
            f"hardware={hardware.name} expects {hardware.devices} x {hardware.gpu}; "
            f"found {found}; use hardware=local"
        )
