"""Who measures and who only computes, when one run spans several processes or nodes."""

from __future__ import annotations

from typing import Any, Protocol

from metering import gloo


class Ranks(Protocol):
    """The processes of one run. Collective calls must be made by every rank in the same order."""

    rank: int
    local_rank: int
    num_ranks: int
    num_nodes: int

    def broadcast(self, value: Any) -> Any:
        """Rank 0's `value`, on every rank. Collective."""

    def gather(self, value: Any) -> list[Any] | None:
        """Every rank's value, in rank order, on rank 0; `None` elsewhere. Collective."""

    def barrier(self) -> None:
        """Returns when every rank has called it."""

    def asked_to_end(self) -> bool:
        """Whether the first rank that left was asked to: the others lose their connection to it,
        perhaps before the same signal finds them. Not collective."""


class OneRank:
    """A run of one process: the collective calls are identities."""

    rank = 0
    local_rank = 0
    num_ranks = 1
    num_nodes = 1

    def broadcast(self, value: Any) -> Any:
        return value

    def gather(self, value: Any) -> list[Any] | None:
        return [value]

    def barrier(self) -> None:
        return None

    def asked_to_end(self) -> bool:
        return False


class GroupRanks:
    """Processes that reach each other through `group`, of torch.distributed; gloo, whatever the
    device: plain Python values pass."""

    def __init__(
        self, rank: int, local_rank: int, num_ranks: int, num_nodes: int, group: Any
    ) -> None:
        self.rank, self.local_rank = rank, local_rank
        self.num_ranks, self.num_nodes = num_ranks, num_nodes
        self._group = group

    def broadcast(self, value: Any) -> Any:
        return gloo.broadcast(value, self.rank, self._group)

    def gather(self, value: Any) -> list[Any] | None:
        return gloo.gather(value, self.rank, self.num_ranks, self._group)

    def barrier(self) -> None:
        from torch import distributed

        distributed.barrier(group=self._group)

    def asked_to_end(self) -> bool:
        """Nobody tells the others of a program that was started elsewhere."""
        return False
