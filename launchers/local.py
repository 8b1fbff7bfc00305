"""Runs on this machine: each in a process of its own, as one rank of torchrun, or as several ranks
started here."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tasks.errors import PlanError

if TYPE_CHECKING:  # what runs is imported when something runs: `--cfg job` answers at once
    from launchers.children import Server
    from tasks.plan import Plan
    from tasks.running.execute import Outcome


def among_visible(devices: Sequence[int], mask: str | None = None) -> str:
    """`CUDA_VISIBLE_DEVICES` of a run that may use the GPUs at these places of this process's own
    mask (its environment's, where `mask` is None). Raises `PlanError`."""
    mask = os.environ.get("CUDA_VISIBLE_DEVICES") if mask is None else mask
    if mask is None:
        return ",".join(map(str, devices))
    entries = [entry.strip() for entry in mask.split(",")] if mask.strip() else []
    if max(devices) >= len(entries):
        raise PlanError(
            f"hydra.launcher.devices names GPU {max(devices)}, but CUDA_VISIBLE_DEVICES={mask} "
            f"leaves {len(entries)}, counted from 0"
        )
    return ",".join(entries[index] for index in devices)


class Machine:
    """This machine, for the runs of one sweep; closes the servers that it started.

    isolate: a process for every run; else a run of one rank is executed in this process.
    devices: indices of the GPUs that runs may use; None: all that there are.
    is_asked_to_end: polled where the thread that runs gets no signals.
    """

    def __init__(
        self,
        isolate: bool = True,
        devices: Sequence[int] | None = None,
        is_asked_to_end: Callable[[], bool] = lambda: False,
    ) -> None:
        self._isolate = isolate
        self._environment = (
            {} if devices is None else {"CUDA_VISIBLE_DEVICES": among_visible(devices)}
        )
        self._is_asked_to_end = is_asked_to_end
        self._servers: dict[str, Server] = {}

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def run(
        self,
        plan: Plan,
        say: Callable[[Any], None] = lambda _: None,
    ) -> Outcome:
        """Execute `plan` here and now. Raises `PlanError` for more nodes than this one."""
        from launchers import power_limit
        from tasks.running.execute import Outcome, answer_without_gpu, execute

        num_ranks = plan.hardware.devices * plan.hardware.nodes
        if num_ranks > 1 and int(os.environ.get("WORLD_SIZE", "1")) > 1:
            power_limit.require_supervisor([plan], "torchrun")
            return _as_started_rank(plan, say)
        if plan.hardware.nodes > 1:
            raise PlanError(
                f"hardware.nodes={plan.hardware.nodes} spans machines; "
                "use hydra/launcher=slurm or start it with torchrun"
            )
        if num_ranks == 1 and not self._isolate:
            power_limit.require_supervisor([plan], "hydra.launcher.isolate=false")
            return execute(plan, say=say)
        known = answer_without_gpu(plan)
        if known is not None:  # no process, no imports
            return known
        from launchers import died, isolated, spawn

        dead = None if plan.force or plan.retry_failed else died.earlier(plan)
        if dead is not None:
            return Outcome(dead, plan.folder, reused=True)
        start = isolated.run if num_ranks == 1 else spawn.run
        with power_limit.as_asked(plan, self._environment):
            return start(plan, say, self._server(plan.task, say), self._is_asked_to_end)

    def _server(self, task: str, say: Callable[[Any], None]) -> Server:
        from launchers.children import Server

        if task not in self._servers:
            self._servers[task] = Server([task], self._environment, say)
        return self._servers[task]


def run(plan: Plan, say: Callable[[Any], None] = lambda _: None) -> Outcome:
    """One run outside of a sweep, as `hydra.launcher` says."""
    from hydra.core.hydra_config import HydraConfig

    isolate = True
    if HydraConfig.initialized():
        isolate = bool(HydraConfig.get().launcher.get("isolate", True))
    with Machine(isolate) as machine:
        return machine.run(plan, say)


def _as_started_rank(plan: Plan, say: Callable[[Any], None]) -> Outcome:
    """One of torchrun's ranks. Where another rank failed first, its words go into the record."""
    from launchers import failed, rank_failure, ranks

    leads = os.environ.get("RANK", "0") == "0"
    if leads:
        rank_failure.take(plan.folder)  # an earlier attempt's
    try:
        return ranks.execute_rank(plan, ranks.from_environment, say)
    except BaseException:
        failure = rank_failure.take(plan.folder) if leads else None
        if failure is not None and failure.rank != 0:
            failed.leave_record(plan, failure, rank_failure.status(failure))
        raise
