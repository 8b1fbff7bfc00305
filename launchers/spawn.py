"""Several ranks on this machine: start them, pass on what rank 0 says, end them together."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from launchers import failed, rank_failure
from launchers.ranks import Place, execute_rank
from metering.record import FILE_NAME, Failure
from metering.record_file import read
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import Outcome

GRACE_S = 10.0  # for the other ranks to write and to leave once one has failed


def run(
    plan: Plan, say: Callable[[Any], None], environment: dict[str, str] | None = None
) -> Outcome:
    """Run `plan` in processes of its own, one per device, with `environment` added.

    Raises `PlanError` for what the user can mend; any other failure is a record.
    """
    rank_failure.take(plan.folder)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    port = _free_port()
    count = plan.hardware.devices
    processes = [
        context.Process(
            target=_rank,
            args=(
                plan,
                Place(rank, rank, count, 1, "127.0.0.1", port),
                there if rank == 0 else None,
                environment or {},
            ),
        )
        for rank in range(count)
    ]
    for process in processes:
        process.start()
    there.close()
    try:
        _follow(processes, here, say)
        died = _killed(processes)
    finally:
        _end(processes)
    return _outcome(plan, [process.exitcode or 0 for process in processes], died)


def _rank(plan: Plan, place: Place, pipe: Connection | None, environment: dict[str, str]) -> None:
    os.environ.update(environment)

    def say(message: Any) -> None:
        if pipe is not None:
            pipe.send(message)

    try:
        execute_rank(plan, lambda: place, say)
    except PlanError as error:
        rank_failure.leave(plan.folder, place.rank, error, "")
        raise SystemExit(2) from None


def _follow(processes: list[Any], pipe: Connection, say: Callable[[Any], None]) -> None:
    """Until all have ended, or one has ended badly and the others had their grace."""
    running: dict[Any, Any] = {process.sentinel: process for process in processes}
    open_pipe = [pipe]
    deadline: float | None = None
    while running and (deadline is None or time.monotonic() < deadline):
        for ready in wait([*open_pipe, *running], timeout=0.2):
            if ready is pipe:
                try:
                    say(pipe.recv())
                except EOFError:
                    open_pipe.clear()
                continue
            process = running.pop(ready)
            process.join()
            if process.exitcode and deadline is None:
                deadline = time.monotonic() + GRACE_S


def _killed(processes: list[Any]) -> int | None:
    """The rank that a signal ended before this process ended any."""
    codes = [process.exitcode or 0 for process in processes]
    return next((rank for rank, code in enumerate(codes) if code < 0), None)


def _end(processes: list[Any]) -> None:
    for process in processes:
        if process.is_alive():
            process.join(0.5)
            process.terminate()
    for process in processes:
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def _outcome(plan: Plan, exit_codes: list[int], killed: int | None) -> Outcome:
    failure = rank_failure.take(plan.folder)
    if killed is not None:
        # whatever another rank has left is of the lost connection
        failure = Failure(
            type="RankKilled",
            message=f"rank {killed} was killed by signal {-exit_codes[killed]}",
            traceback="" if failure is None else failure.traceback,
            rank=killed,
        )
    elif failure is None and any(exit_codes):
        rank = next(index for index, code in enumerate(exit_codes) if code)
        failure = Failure(
            type="RankDied",
            message=f"rank {rank} ended with exit status {exit_codes[rank]} and left no traceback",
            rank=rank,
        )
    if failure is None:
        return Outcome(read(plan.folder / FILE_NAME), plan.folder)
    outcome = failed.leave_record(plan, failure, rank_failure.status(failure))
    if failure.type == "PlanError":
        raise PlanError(failure.message)
    return outcome


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
