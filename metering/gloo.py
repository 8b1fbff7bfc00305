"""Python values between processes, over a gloo group of torch.distributed.

As its `broadcast_object_list` and `gather_object`, whose tensors end with the call. Gloo's thread
may let go of such a tensor later and then waits for Python's lock; where the program has meanwhile
entered `destroy_process_group`, which holds that lock and waits for the thread, neither goes on
(seen in every second run with torch 2.7). So the tensors of the last calls are kept.
"""

from __future__ import annotations

import pickle
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_kept: deque[list[torch.Tensor]] = deque(maxlen=16)  # of each call


def broadcast(value: Any, rank: int, group: Any) -> Any:
    """Rank 0's `value`, on every rank. Collective."""
    import torch
    from torch import distributed

    content = _packed(value if rank == 0 else None)
    size = torch.tensor([len(content)])
    used = [size]
    _kept.append(used)
    distributed.broadcast(size, src=0, group=group)
    if rank != 0:
        content = torch.empty(int(size), dtype=torch.uint8)
    used.append(content)
    distributed.broadcast(content, src=0, group=group)
    return value if rank == 0 else _unpacked(content)


def gather(value: Any, rank: int, num_ranks: int, group: Any) -> list[Any] | None:
    """Every rank's value, in rank order, on rank 0; `None` elsewhere. Collective."""
    import torch
    from torch import distributed

    content = _packed(value)
    size = torch.tensor([len(content)])
    sizes = [torch.empty_like(size) for _ in range(num_ranks)]
    used = [size, *sizes]
    _kept.append(used)
    distributed.all_gather(sizes, size, group=group)
    longest = max(int(size) for size in sizes)
    padded = torch.cat([content, content.new_zeros(longest - len(content))])
    everyones = [torch.empty_like(padded) for _ in range(num_ranks)] if rank == 0 else None
    used += [padded, *(everyones or [])]
    distributed.gather(padded, everyones, dst=0, group=group)
    if everyones is None:
        return None
    return [_unpacked(padded[: int(size)]) for padded, size in zip(everyones, sizes, strict=True)]


def _packed(value: Any) -> torch.Tensor:
    import torch

    return torch.frombuffer(bytearray(pickle.dumps(value)), dtype=torch.uint8)


def _unpacked(content: torch.Tensor) -> Any:
    return pickle.loads(content.numpy().tobytes())
