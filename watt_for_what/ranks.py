"""The ranks of a program that was started with torchrun (or alike), as the meter wants them."""

from __future__ import annotations

import os
from typing import Any

from metering.ranks import OneRank, Ranks
from watt_for_what.devices import loaded_torch
from watt_for_what.errors import WattError


class GroupRanks:
    """`metering.ranks.Ranks` over a gloo group of its own, beside the program's. Collective."""

    def __init__(self) -> None:
        from torch import distributed

        self.rank, self.num_ranks = distributed.get_rank(), distributed.get_world_size()
        per_node = int(os.environ.get("LOCAL_WORLD_SIZE", self.num_ranks))
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank % per_node))
        self.num_nodes = max(1, self.num_ranks // per_node)
        self._group = distributed.new_group(backend="gloo")

    def broadcast(self, value: Any) -> Any:
        from torch import distributed

        box = [value]
        distributed.broadcast_object_list(box, src=0, group=self._group)
        return box[0]

    def gather(self, value: Any) -> list[Any] | None:
        from torch import distributed

        box: list[Any] | None = [None] * self.num_ranks if self.rank == 0 else None
        distributed.gather_object(value, box, dst=0, group=self._group)
        return box

    def barrier(self) -> None:
        from torch import distributed

        distributed.barrier(group=self._group)

    def asked_to_end(self) -> bool:
        return False


def current() -> Ranks:
    """This program's. Raises `WattError` where it has several that cannot reach each other yet."""
    torch = loaded_torch()
    has_group = torch is not None and torch.distributed.is_available()
    if has_group and torch.distributed.is_initialized():
        return GroupRanks() if torch.distributed.get_world_size() > 1 else OneRank()
    num_ranks = os.environ.get("WORLD_SIZE", "1")
    if num_ranks.isdigit() and int(num_ranks) > 1 and "RANK" in os.environ:
        raise WattError(
            f"WORLD_SIZE={num_ranks}, but torch.distributed is not initialised; call "
            "torch.distributed.init_process_group() before watt.measure"
        )
    return OneRank()
