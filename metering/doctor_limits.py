"""The doctor's check of power limits that this suite has set: held by a run, or left behind."""

from __future__ import annotations

from collections.abc import Iterator

from metering import limit_journal, power_limit
from metering.doctor_checks import Line
from metering.limit_journal import Entry

TOPIC = "power limit"


def power_limits() -> Iterator[Line]:
    """Nothing where no limit is changed. Raises `JournalError`, whose words name the file."""
    for entry in limit_journal.entries():
        now_w = power_limit.limit_now_w(entry.uuid)
        if now_w is not None:
            yield _line(entry, now_w)


def _line(entry: Entry, now_w: float) -> Line:
    if entry.is_held:
        return Line(
            TOPIC,
            "ok",
            f"process {entry.pid} holds {entry.uuid} at {entry.set_w:g} W for its run; "
            f"{entry.before_w:g} W come back after it",
        )
    if abs(now_w - entry.set_w) > power_limit.TOLERANCE_W:
        return Line(TOPIC, "ok", f"{entry.uuid}: changed to {now_w:g} W since a run that died")
    return Line(
        TOPIC,
        "warning",
        f"{entry.uuid} was left at {entry.set_w:g} W by process {entry.pid}, which died; it had "
        f"{entry.before_w:g} W",
        f"start any run, which puts it back first, or: {power_limit.by_hand(entry)}; then delete "
        f"{limit_journal.path_of(entry.uuid)}",
    )
