"""What a reader of a window's figures has to know about them, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from metering.block import Block
from metering.node_reader import SHARED
from metering.record import Component, Sensor
from metering.sensors.nvml import Gpu
from metering.steadiness import Steadiness

MAX_SKEW_S = 1.0  # between nodes; durations do not hang on it, time stamps and logs do


def of_blocks(
    blocks: Sequence[Block], measured: Sequence[Block], *, disagreement: float, num_waits: int
) -> Iterator[str]:
    """blocks: all of the window; measured: those that count; disagreement: from which share on two
    readings of the same energy are said to differ; num_waits: blocks shifted against the sensor."""
    faults = [block.fault for block in blocks if block.fault]
    if faults:
        yield f"{len(faults)} blocks were dropped; the last: {faults[-1]}"
    for name in ("gpu_kwh", "cpu_kwh"):  # CodeCarbon only models the memory
        pairs = [(getattr(b.energy, name), getattr(b.own, name)) for b in measured]
        known = [(other, own) for other, own in pairs if other is not None and own]
        if not known:
            continue
        other_kwh, own_kwh = (sum(pair[k] for pair in known) for k in (0, 1))
        if (apart := abs(other_kwh / own_kwh - 1)) > disagreement:
            component = name.removesuffix("_kwh").upper()
            yield (
                f"CodeCarbon's {component} energy differs by {100 * apart:.1f} % from this "
                "suite's own reading"
            )
    if others := {pid for block in blocks for pid in block.others}:
        yield f"other processes computed on the same GPU: {sorted(others)}"
    if num_waits:
        yield (
            f"steps kept time with the GPU's sensor: {num_waits} blocks were shifted against it, "
            "each by a wait of less than its period"
        )


def of_drift(drift: Steadiness) -> Iterator[str]:
    """Of a window that ended before its power was steady."""
    if drift.is_shown:
        yield f"not steady when the window ended: {drift.why}; its interval is widened"


def of_machine(gpus: Sequence[Gpu], clock_skew_s: float) -> Iterator[str]:
    """gpus: of all nodes; clock_skew_s: how far the nodes' clocks are apart."""
    if clock_skew_s > MAX_SKEW_S:
        yield f"the nodes' clocks are {clock_skew_s:.1f} s apart"
    if any(gpu.mig for gpu in gpus):
        yield "a MIG instance was metered as its whole GPU: no counter is narrower"


def of_sensors(sensors: Mapping[Component, Sensor]) -> Iterator[str]:
    """Components that are there and were not read, since others may use them."""
    if names := [name.upper() for name, one in sensors.items() if one.note == SHARED]:
        yield f"{' and '.join(names)} not metered: {SHARED}"
