"""The ranks of a program that was started with torchrun (or alike), as the meter wants them."""

from __future__ import annotations

import os

from metering.ranks import GroupRanks, OneRank, Ranks
from watt_for_what.devices import loaded_torch
from watt_for_what.errors import WattError


def _of_program() -> GroupRanks:
    """The program's ranks, with a gloo group of its own beside the program's. Collective."""
    from torch import distributed

    rank, num_ranks = distributed.get_rank(), distributed.get_world_size()
    per_node = int(os.environ.get("LOCAL_WORLD_SIZE", num_ranks))
    local_rank = int(os.environ.get("LOCAL_RANK", rank % per_node))
    num_nodes = max(1, num_ranks // per_node)
    return GroupRanks(rank, local_rank, num_ranks, num_nodes, distributed.new_group(backend="gloo"))


def current() -> Ranks:
    """This program's. Raises `WattError` where it has several that cannot reach each other yet."""
    torch = loaded_torch()
    has_group = torch is not None and torch.distributed.is_available()
    if has_group and torch.distributed.is_initialized():
        return _of_program() if torch.distributed.get_world_size() > 1 else OneRank()
    num_ranks = os.environ.get("WORLD_SIZE", "1")
    if num_ranks.isdigit() and int(num_ranks) > 1 and "RANK" in os.environ:
        raise WattError(
            f"WORLD_SIZE={num_ranks}, but torch.distributed is not initialised; call "
            "torch.distributed.init_process_group() before watt.measure"
        )
    return OneRank()
