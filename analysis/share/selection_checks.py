"""What of a window was counted: blocks that were taken out, or called something else, make a rate
that all that was measured does not have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from analysis.share.finding import Finding, doubtful, wrong
from metering.record import PhaseRecord, Record

LEAST_HOLE_S = 0.25
"""Between two blocks; where nothing is missing a busy machine takes under 0.06 s."""
LEAST_HOLE = 0.5
"""Of a block as long as most."""
_SHORT = "less than meter.least_s"
"""What the meter's flag says of a window that ended early."""


def of_selection(record: Record, phase: PhaseRecord) -> Iterator[Finding]:
    """Which of the phase's blocks count, against their order, their times and the flags."""
    yield from _of_order(phase)
    if record.config.get("meter"):  # a loop of the user's may do other things between its steps
        yield from _of_holes(phase)
        yield from _of_length(record, phase)


def _of_order(phase: PhaseRecord) -> Iterator[Finding]:
    """Warm-up comes first, in each attempt, and what is dropped has a reason."""
    measuring = set()
    late = 0
    for block in phase.readings:
        if block.use == "measured":
            measuring.add(block.attempt)
        late += block.use == "warm-up" and block.attempt in measuring
    if late:
        yield wrong(f"{late} blocks are called warm-up and come after measured ones")
    unexplained = sum(block.use == "dropped" and not block.reason for block in phase.readings)
    if unexplained:
        yield wrong(f"{unexplained} blocks are dropped without a reason")


def _of_holes(phase: PhaseRecord) -> Iterator[Finding]:
    """A window's blocks follow each other at once."""
    if len(phase.readings) < 2:
        return
    least_s = max(LEAST_HOLE_S, LEAST_HOLE * median(b.duration_s for b in phase.readings))
    holes = [
        after.started_at_s - before.started_at_s - before.duration_s
        for before, after in pairwise(phase.readings)
        if before.attempt == after.attempt
    ]
    missing = [hole for hole in holes if hole > least_s]
    if missing:
        yield doubtful(
            f"{sum(missing):.3g} s between its blocks are in none of them: a pause, or blocks that "
            "were taken out"
        )


def _of_length(record: Record, phase: PhaseRecord) -> Iterator[Finding]:
    """A flag that the meter sets is no longer there."""
    meter, gpu = record.config["meter"], phase.sensors.get("gpu")
    least_s = meter.get("least_s")
    is_on_gpu = gpu is not None and gpu.how != "absent"
    if not is_on_gpu or meter.get("mode") != "adaptive" or not isinstance(least_s, int | float):
        return
    is_continued = any(block.attempt is not None for block in phase.readings)
    seconds = sum(block.duration_s for block in phase.readings if block.use == "measured")
    if seconds < least_s and not is_continued and not any(_SHORT in flag for flag in phase.flags):
        yield doubtful(
            f"{seconds:.0f} s were measured, {_SHORT}={least_s:.0f}, and no flag says so"
        )
