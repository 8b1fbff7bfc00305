"""`hardware.power_limit_w`: set by the process that supervises a run, for that run's boards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from tasks.errors import PlanError

if TYPE_CHECKING:
    from metering.sensors.nvml import Gpu
    from tasks.plan import Plan


@contextmanager
def as_asked(plan: Plan, environment: Mapping[str, str]) -> Iterator[None]:
    """Inside, the boards of `plan` have the limit that it asks for; nothing happens where it asks
    for none. What an earlier process left behind is put back first.

    environment: of the run's process, beside this one's own. Raises `PlanError`.
    """
    from metering import power_limit
    from metering.power_limit import LimitError

    for line in power_limit.restore_left_behind():
        print(f"note: {line}", file=sys.stderr, flush=True)
    limit_w = plan.hardware.power_limit_w
    with ExitStack() as stack:
        if limit_w is not None:
            try:
                gpus = _boards(plan, environment)
                stack.enter_context(power_limit.limited(gpus, limit_w))
            except LimitError as error:
                raise _refusal(limit_w, error) from None
        yield


def check(plan: Plan) -> None:
    """Raises `PlanError` where this machine's boards do not take the limit; sets nothing.
    A machine without a GPU tells nothing: the run may be for another."""
    from metering import power_limit
    from metering.power_limit import LimitError

    limit_w = plan.hardware.power_limit_w
    if limit_w is None:
        return
    try:
        gpus = _boards(plan, {})
        if gpus:
            power_limit.check(gpus, limit_w)
    except LimitError as error:
        raise _refusal(limit_w, error) from None


def require_supervisor(plans: Iterable[Plan], how: str) -> None:
    """Raises `PlanError` where a plan asks for a limit and runs as `how` says, with no process
    that outlives the run and puts the limit back."""
    for plan in plans:
        if plan.hardware.power_limit_w is not None:
            raise PlanError(
                f"hardware.power_limit_w={plan.hardware.power_limit_w:g} with {how}: no process "
                "of ours outlives the run and puts the limit back; have it set from outside and "
                "leave the key out: the record tells the limit in force"
            )


def _boards(plan: Plan, environment: Mapping[str, str]) -> Sequence[Gpu]:
    """Raises `LimitError`."""
    from metering.power_limit import LimitError
    from metering.sensors.nvml import GpuError, MaskError, job_gpus

    try:
        return job_gpus(os.environ | environment, num_gpus=plan.hardware.devices)
    except (GpuError, MaskError) as error:
        raise LimitError(str(error)) from None


def _refusal(limit_w: float, error: Exception) -> PlanError:
    return PlanError(f"hardware.power_limit_w={limit_w:g}: {error}")
