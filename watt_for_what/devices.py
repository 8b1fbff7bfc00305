"""Which GPUs a loop of the user's computes on, found without loading PyTorch for it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any, Literal

from metering.ranks import Ranks
from metering.sensors.nvml import job_gpus
from watt_for_what.errors import WattError

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Devices:
    """num: GPUs over all nodes, 0 on a CPU; mask: those of this node, as `CUDA_VISIBLE_DEVICES`
    would say it, `None` where the job's own mask says it; num_here: of this node."""

    num: int
    num_here: int
    mask: str | None = None

    @property
    def use_gpu(self) -> bool:
        return self.num > 0


def loaded_torch() -> Any:
    """PyTorch where the program has imported it, else None."""
    return sys.modules.get("torch")


def cuda_is_ready() -> bool:
    """Whether this process has begun to use CUDA (or ROCm)."""
    torch = loaded_torch()
    return torch is not None and bool(torch.cuda.is_available() and torch.cuda.is_initialized())


def find(device: Device, ranks: Ranks) -> Devices:
    """The GPUs that this run's ranks use. `auto`: those in use by PyTorch, by UUID; where it has
    not begun to use any, those of `CUDA_VISIBLE_DEVICES`; without it, none. Collective.

    Raises `WattError`.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise WattError(f"device={device!r} is unknown; use auto, cpu or cuda")
    if device == "cuda":
        _start_cuda()
    local: tuple[str, ...] | int = 0
    if device != "cpu":
        local = _in_use() if cuda_is_ready() else _of_the_mask(required=device == "cuda")
    gathered = ranks.broadcast(ranks.gather(local))
    num_local = ranks.num_ranks // ranks.num_nodes
    node = ranks.rank // num_local
    nodes = [gathered[at : at + num_local] for at in range(0, len(gathered), num_local)]
    numbers = [_number(node) for node in nodes]
    here = nodes[node]
    mask = None
    if all(isinstance(device, tuple) for device in here):
        mask = ",".join(dict.fromkeys(uuid for uuids in here for uuid in uuids))
    return Devices(sum(numbers), numbers[node], mask)


def synchronize() -> None:
    """Return when all work that PyTorch has queued on its GPUs is done."""
    if cuda_is_ready():
        torch = loaded_torch()
        for index in _indices(torch):
            torch.cuda.synchronize(index)


def _start_cuda() -> None:
    torch = loaded_torch()
    if torch is None:
        return
    if not torch.cuda.is_available():
        raise WattError("device='cuda', but PyTorch sees no GPU; use device='cpu'")
    torch.cuda.init()


def _indices(torch: Any) -> list[int]:
    """The current device, and others that hold memory of this process."""
    current = torch.cuda.current_device()
    others = range(torch.cuda.device_count())
    return [current, *(at for at in others if at != current and torch.cuda.memory_reserved(at))]


def _in_use() -> tuple[str, ...] | int:
    """UUIDs; their number where they cannot be named so (ROCm, an instance of MIG)."""
    torch = loaded_torch()
    properties = [torch.cuda.get_device_properties(at) for at in _indices(torch)]
    uuids = [getattr(gpu, "uuid", None) for gpu in properties]
    is_plain = torch.version.hip is None and not any(" MIG " in gpu.name for gpu in properties)
    if not is_plain or None in uuids:
        return len(properties)
    return tuple(f"GPU-{str(uuid).removeprefix('GPU-')}" for uuid in uuids)


def _of_the_mask(required: bool) -> int:
    mask = os.environ.get("CUDA_VISIBLE_DEVICES", "").strip()
    if not required and mask in ("", "-1"):
        return 0
    num = len(job_gpus())
    if required and not num:
        raise WattError("device='cuda', but NVML shows no GPU of this job; use device='cpu'")
    return num


def _number(locals_: list[tuple[str, ...] | int]) -> int:
    """GPUs of a node: ranks that name theirs may share one; where all see the job's mask, each
    counts the same ones."""
    named = {uuid for uuids in locals_ if isinstance(uuids, tuple) for uuid in uuids}
    return len(named) or max((device for device in locals_ if isinstance(device, int)), default=0)
