"""The processes of one run over torch.distributed: one per GPU, on one or more nodes."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from launchers import rank_failure
from metering.ranks import GroupRanks, OneRank
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import Outcome, execute

# A rank that died is noticed by its closed connection or by its supervisor; this is for a
# rank that stalls. Longer than any data set takes to open on rank 0 alone.
COLLECTIVE_TIMEOUT = timedelta(minutes=30)


@dataclass(frozen=True)
class Place:
    """Where one rank stands: what `torch.distributed` and MMEngine read from the environment."""

    rank: int
    local_rank: int
    num_ranks: int
    num_nodes: int
    master: str
    port: int

    def to_environment(self) -> None:
        os.environ.update(
            RANK=str(self.rank),
            LOCAL_RANK=str(self.local_rank),
            WORLD_SIZE=str(self.num_ranks),
            LOCAL_WORLD_SIZE=str(self.num_ranks // self.num_nodes),
            MASTER_ADDR=self.master,
            MASTER_PORT=str(self.port),
        )


class TorchRanks(GroupRanks):
    """The ranks that this suite started; gradients go over nccl where there are GPUs."""

    def __init__(self, place: Place, uses_gpu: bool, folder: Path) -> None:
        import torch
        from torch import distributed

        place.to_environment()
        if uses_gpu and place.local_rank < torch.cuda.device_count():
            torch.cuda.set_device(place.local_rank)
        backend = "nccl" if uses_gpu else "gloo"
        distributed.init_process_group(backend, timeout=COLLECTIVE_TIMEOUT)
        group = distributed.new_group(backend="gloo", timeout=COLLECTIVE_TIMEOUT)
        super().__init__(place.rank, place.local_rank, place.num_ranks, place.num_nodes, group)
        self._folder = folder

    def asked_to_end(self) -> bool:
        failure = rank_failure.peek(self._folder)
        return failure is not None and rank_failure.status(failure) == "interrupted"

    def close(self) -> None:
        """Leave the group. Safe to call once the others are gone."""
        from torch import distributed

        distributed.destroy_process_group()


def from_environment() -> Place:
    """This rank's place as torchrun tells it."""
    value = os.environ
    num_ranks = int(value["WORLD_SIZE"])
    return Place(
        rank=int(value["RANK"]),
        local_rank=int(value["LOCAL_RANK"]),
        num_ranks=num_ranks,
        num_nodes=num_ranks // int(value.get("LOCAL_WORLD_SIZE", num_ranks)),
        master=value["MASTER_ADDR"],
        port=int(value["MASTER_PORT"]),
    )


def from_slurm(number: int = 0) -> Place:
    """This rank's place as SLURM tells it; the port comes from the job's number, so that
    jobs that share a node do not meet. number: of the run in its job."""
    from submitit.slurm.slurm import SlurmJobEnvironment

    value = os.environ
    num_nodes = int(value.get("SLURM_JOB_NUM_NODES", "1"))
    return Place(
        rank=int(value["SLURM_PROCID"]),
        local_rank=int(value["SLURM_LOCALID"]),
        num_ranks=int(value["SLURM_NTASKS"]),
        num_nodes=num_nodes,
        master="127.0.0.1" if num_nodes == 1 else _address(SlurmJobEnvironment().hostnames[0]),
        port=20000 + (int(value["SLURM_JOB_ID"]) * 7 + number) % 20000,
    )


def _address(node: str) -> str:
    """SLURM's name of the first node, where the network knows it, else where `srun` ran: a node's
    name in SLURM need not be its host's."""
    try:
        socket.gethostbyname(node)
    except OSError:
        return os.environ.get("SLURM_LAUNCH_NODE_IPADDR", node)
    return node


def execute_rank(
    plan: Plan,
    find_place: Callable[[], Place],
    say: Callable[[Any], None] = lambda _: None,
    remarks: Sequence[str] = (),
) -> Outcome:
    """This rank's part of `plan`. The first rank that fails leaves its traceback for the others'
    supervisor, then the error goes on."""
    from tasks.running import device

    wanted = plan.hardware.devices * plan.hardware.nodes
    if wanted == 1:
        return execute(plan, OneRank(), say, remarks)
    place = find_place()
    if place.num_ranks != wanted:
        raise PlanError(
            f"hardware.devices={plan.hardware.devices} on {plan.hardware.nodes} node(s) makes "
            f"{wanted} ranks, but {place.num_ranks} were started; make the two agree"
        )
    try:
        ranks = TorchRanks(place, device.uses_gpu(plan.hardware.accelerator), plan.folder)
        outcome = execute(plan, ranks, say, remarks)
        ranks.barrier()
    except BaseException as error:
        rank_failure.leave(plan.folder, place.rank, error, traceback.format_exc())
        raise
    ranks.close()
    return outcome
