"""Several ranks on this machine: start them, pass on what rank 0 says, end them together."""

from __future__ import annotations

import dataclasses
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from launchers import died, isolated, rank_failure
from launchers.children import Child, Server, ServerError
from launchers.ranks import Place, execute_rank
from launchers.reports import Reporter, Reports
from metering.deferred_signals import deferred_signals
from metering.record import FILE_NAME, Failure
from metering.record_file import read
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import Outcome

_INTERRUPTED = Failure(type="KeyboardInterrupt", message="the sweep was interrupted")
GRACE_S = 10.0  # for the other ranks to write and to leave once one has failed


def run(
    plan: Plan,
    say: Callable[[Any], None],
    server: Server,
    is_asked_to_end: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run `plan` in children of `server`, one per device.

    Raises `PlanError` for what the user can correct; any other failure is a record.
    """
    rank_failure.take(plan.folder)
    watch, reports = died.Watch(plan), Reports()
    port, count = _free_port(), plan.hardware.devices
    ranks: list[Child] = []
    killed: int | None = None
    try:
        for rank in range(count):
            place = Place(rank, rank, count, 1, "127.0.0.1", port)
            ranks.append(server.start(_execute_rank, plan, place))
        _follow(ranks, server, reports, say, is_asked_to_end)
        killed = _killed(ranks)
    except ServerError as error:
        for child in ranks[:1]:
            isolated.hear_orphan(child, reports)
        return watch.leave_record(died.without_server(error, reports.phase), reports, "failed")
    except KeyboardInterrupt:
        with deferred_signals() as arrived:  # a further Ctrl-C loses nothing of the record
            for child in ranks:
                child.send_signal(signal.SIGINT)
            _wait(ranks, server, reports, GRACE_S, arrived)
            if reports.phases and watch.own_record() is None:
                watch.leave_record(_INTERRUPTED, reports, "interrupted")
        raise
    finally:
        _end(ranks, server, reports)
    return _outcome(plan, watch, reports, ranks, killed)


def _execute_rank(pipe: Connection, plan: Plan, place: Place) -> None:
    """What a child does; rank 0 speaks for all."""
    isolated.print_to(plan.folder / isolated.LOG_NAME)

    tell = Reporter(pipe)

    def say(news: Any) -> None:
        if place.rank == 0:
            tell(news)

    try:
        execute_rank(plan, lambda: place, say)
    except PlanError as error:
        rank_failure.leave(plan.folder, place.rank, error, "")
        raise SystemExit(2) from None


def _follow(
    ranks: Sequence[Child],
    server: Server,
    reports: Reports,
    say: Callable[[Any], None],
    is_asked_to_end: Callable[[], bool],
) -> None:
    """Until all have ended, or one has ended badly and the others had their grace."""
    deadline_s: float | None = None
    while any(child.exit_status is None for child in ranks):
        if deadline_s is not None and time.monotonic() > deadline_s:
            return
        if is_asked_to_end():
            raise KeyboardInterrupt
        if server.wait(ranks[0].open_pipes, 0.2):
            reports.hear(ranks[0], say)
        if deadline_s is None and any(child.exit_status for child in ranks):
            deadline_s = time.monotonic() + GRACE_S
    reports.hear_rest(ranks[0], say)


def _killed(ranks: Sequence[Child]) -> int | None:
    """The rank that a signal ended before this process ended any."""
    codes = [child.exit_status or 0 for child in ranks]
    return next((rank for rank, code in enumerate(codes) if code < 0), None)


def _end(ranks: Sequence[Child], server: Server, reports: Reports) -> None:
    """End what still runs: it has a moment, then is asked to, then has to."""
    with suppress(KeyboardInterrupt):  # a second Ctrl-C: at once
        for number, grace_s in ((None, 0.5), (signal.SIGTERM, 5.0)):
            for child in ranks:
                if number is not None:
                    child.send_signal(number)
            _wait(ranks, server, reports, grace_s)
    for child in ranks:
        child.send_signal(signal.SIGKILL)
    _wait(ranks, server, reports, 5.0)
    for child in ranks:
        child.close()


def _wait(
    ranks: Sequence[Child],
    server: Server,
    reports: Reports,
    timeout_s: float,
    arrived: Sequence[object] = (),
) -> None:
    """Until all have ended, the time is over, or a signal has `arrived`."""
    deadline_s = time.monotonic() + timeout_s
    with suppress(ServerError):  # it tells no more who has ended
        while (
            any(child.exit_status is None for child in ranks)
            and not arrived
            and time.monotonic() < deadline_s
        ):
            if server.wait(ranks[0].open_pipes, 0.2):
                reports.hear(ranks[0], lambda _: None)
    for child in ranks[:1]:
        reports.hear_rest(child, lambda _: None)


def _outcome(
    plan: Plan, watch: died.Watch, reports: Reports, ranks: Sequence[Child], killed: int | None
) -> Outcome:
    failure = rank_failure.take(plan.folder)
    if killed is not None:
        # whatever another rank has left is of the lost connection
        died_so = watch.failure(ranks[killed], reports.phase, killed)
        text = died_so.traceback if failure is None else failure.traceback
        failure = dataclasses.replace(died_so, traceback=text)
    elif failure is None and any(child.exit_status for child in ranks):
        rank = next(index for index, child in enumerate(ranks) if child.exit_status)
        failure = dataclasses.replace(
            watch.failure(ranks[rank], reports.phase, rank), type="RankDied"
        )
    if failure is None:
        return Outcome(read(plan.folder / FILE_NAME), plan.folder)
    outcome = watch.leave_record(failure, reports, rank_failure.status(failure))
    if failure.type == "PlanError":
        raise PlanError(failure.message)
    return outcome


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
