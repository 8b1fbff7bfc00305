"""A run in a process of its own, and its supervisor: what it says is passed on, and where it dies
its record is written here, from what it had told."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from launchers import died
from launchers.children import Child, Server, ServerError
from launchers.reports import Ended, Reporter, Reports
from metering.deferred_signals import deferred_signals
from metering.record import Failure
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import Outcome, execute
from tasks.running.interruption import interruptible

LOG_NAME = "run.log"
GRACE_S = 30.0  # for a run that was asked to end to write down what it measured
LEAVING_S = 10.0  # for one that has said its last word


def run(
    plan: Plan,
    say: Callable[[Any], None],
    server: Server,
    is_asked_to_end: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Execute `plan` in a child of `server`; a child that dies leaves a failed record.

    Raises what `execute` raises. `is_asked_to_end` is polled where this thread gets no signals.
    """
    watch, reports = died.Watch(plan), Reports()
    try:
        child = server.start(execute_in_child, plan)
    except ServerError as error:
        return watch.leave_record(died.without_server(error, reports.phase), reports, "failed")
    lost: ServerError | None = None
    try:
        _follow(child, server, reports, say, is_asked_to_end)
    except ServerError as error:
        hear_orphan(child, reports)
        lost = error
    except BaseException:
        with deferred_signals() as arrived:  # a further Ctrl-C loses nothing of the record
            _end(child, server, reports, arrived)
            if reports.end is None:
                watch.leave_record(watch.failure(child, reports.phase), reports, "interrupted")
        raise
    finally:
        child.send_signal(signal.SIGKILL)
        child.close()
    if reports.end is None or reports.end.how == "interrupted":  # not by the sweep, which goes on
        return watch.leave_record(_failure(watch, child, reports, lost), reports, "failed")
    return _answer(reports.end)


def _failure(
    watch: died.Watch, child: Child, reports: Reports, lost: ServerError | None
) -> Failure:
    if lost is not None:
        return died.without_server(lost, reports.phase)
    return (
        watch.failure(child, reports.phase) if reports.end is None else watch.asked_to_end(reports)
    )


def _follow(
    child: Child,
    server: Server,
    reports: Reports,
    say: Callable[[Any], None],
    is_asked_to_end: Callable[[], bool],
) -> None:
    """Until the child has ended, or has said its last word and had its time to leave."""
    deadline_s: float | None = None
    while child.exit_status is None and (deadline_s is None or time.monotonic() < deadline_s):
        if is_asked_to_end():
            raise KeyboardInterrupt
        if server.wait(child.open_pipes, 0.2):
            reports.hear(child, say)
        if reports.end is not None and deadline_s is None:
            deadline_s = time.monotonic() + LEAVING_S
    reports.hear_rest(child, say)


def _end(child: Child, server: Server, reports: Reports, arrived: Sequence[object]) -> None:
    """Ask the child to end and hear what it says; one that does not end is killed. A second
    Ctrl-C, which is then among the signals that `arrived`, kills it at once."""
    child.send_signal(signal.SIGINT)
    deadline_s = time.monotonic() + GRACE_S
    with suppress(Exception):
        try:
            while child.exit_status is None and not arrived and time.monotonic() < deadline_s:
                if server.wait(child.open_pipes, 0.2):
                    reports.hear(child, _nothing)
            reports.hear_rest(child, _nothing)
        except ServerError:
            hear_orphan(child, reports)
    child.send_signal(signal.SIGKILL)


def hear_orphan(child: Child, reports: Reports) -> None:
    """What a child says last whose server has died: that interrupts it."""
    deadline_s = time.monotonic() + GRACE_S
    while reports.end is None and not child.is_silent and time.monotonic() < deadline_s:
        if child.pipe.poll(0.2):
            reports.hear(child, _nothing)


def _nothing(news: Any) -> None:
    """Nobody listens any more."""


def _answer(end: Ended) -> Outcome:
    if end.outcome is not None:
        return end.outcome
    if end.how == "refused":
        raise PlanError(end.message)
    if end.details:
        raise OSError(*end.details)
    raise RuntimeError(end.message)


def execute_in_child(pipe: Connection, plan: Plan) -> None:
    """What the child does. Everything that it prints goes to the run's log."""
    print_to(plan.folder / LOG_NAME)
    with interruptible():
        try:
            end = Ended("done", execute(plan, say=Reporter(pipe)))
        except PlanError as error:
            end = Ended("refused", message=str(error))
        except KeyboardInterrupt as error:
            end = Ended("interrupted", message=str(error))
        except OSError as error:
            end = Ended("raised", message=str(error), details=_details(error))
    with suppress(BrokenPipeError):  # the sweep was killed
        pipe.send(end)


def _details(error: OSError) -> tuple[Any, ...]:
    if error.errno is None:
        return (errno.EIO, str(error))
    return (error.errno, error.strerror, error.filename, None, error.filename2)


def print_to(path: Path) -> None:
    """Standard output and error, also of compiled code, go to `path`."""
    with suppress(OSError):  # the run says what is wrong with its folder
        path.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
