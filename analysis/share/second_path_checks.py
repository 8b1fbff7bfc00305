"""A board's energy is read on two paths, its counter and its integrated power: energies that were
changed afterwards fit the second no longer."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.share.block_checks import SENSOR_PERIOD_S, Counted
from analysis.share.finding import Finding, wrong
from metering.record import PhaseRecord

APART = 0.15
"""The meter flags 5 %; what a period of the counter may be at each end is added."""
_FLAGGED = "from their integrated power"


def of_second_path(phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    """GPU energy that counts against the boards' integrated power over the same blocks."""
    if any(_FLAGGED in flag for flag in phase.flags):
        return
    known = [
        (kwh, block.watched_kwh, block.duration_s)
        for kwh, block in zip(counted.of_part("gpu"), counted.blocks, strict=True)
        if kwh is not None and block.watched_kwh
    ]
    if not known or len(known) < len(counted.blocks):
        return
    counter_kwh, watched_kwh, seconds = (sum(column) for column in zip(*known, strict=True))
    allowed = APART + 2 * SENSOR_PERIOD_S / seconds
    if abs(counter_kwh / watched_kwh - 1) > allowed:
        yield wrong(
            f"its GPU energy is {counter_kwh / watched_kwh:.3g} x the boards' integrated power, "
            "without a flag"
        )
