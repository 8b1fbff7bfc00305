"""How an attempt ended that did not finish: it failed, or it was asked to end."""

from __future__ import annotations

import logging
from collections.abc import Collection

from metering import lost_worker, stop_flag
from metering.ranks import Ranks
from metering.record import Status
from tasks.errors import PlanError


def classify(
    error: BaseException, ranks: Ranks, arrived: Collection[object]
) -> tuple[Status, BaseException | None]:
    """What an attempt that ended by `error` is called, and what is raised once that is written.

    arrived: the signals that came after the error and are handled after the writing.
    """
    if isinstance(error, PlanError):
        return "failed", error
    asked = asked_by(error)
    if asked is not None:
        return "interrupted", asked
    logging.getLogger(__name__).error("run failed", exc_info=error)
    lost_worker.wait_for_own_signal(error, arrived)
    status: Status = "interrupted" if ranks.asked_to_end() or arrived else "failed"
    if ranks.num_ranks > 1 or not isinstance(error, Exception):
        return status, error  # other ranks wait in a collective call: end them all
    return status, None


def asked_by(error: BaseException) -> BaseException | None:
    """The Ctrl-C or the signal's exit that this error is, or came in the wake of: a worker process
    that was asked to end as well makes PyTorch raise while the run is already leaving, and a
    destructor or a callback may have lost the exit, which the stop flag then has."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt | SystemExit):
        cause = cause.__context__
    return cause if cause is not None else stop_flag.asked()
