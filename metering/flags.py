"""What a reader of a window's figures has to know about them, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from metering.block import Block
from metering.node_reader import SHARED
from metering.power_states import PowerStates
from metering.record import Component, Sensor
from metering.sensors.nvml import Gpu
from metering.steadiness import Steadiness

J_PER_KWH = 3.6e6
SECOND_PATH = 0.05  # sampled power misses what lies between its samples
MUCH_WAITING = 0.2
# NVML's clocks-event reasons: slowdown by hardware, by heat (software, hardware), by a power brake;
# not the power limit, at which many a load runs
SLOWED_BITS = 0x8 | 0x20 | 0x40 | 0x80
MAX_SKEW_S = 1.0  # between nodes; durations do not depend on it, time stamps and logs do


def of_blocks(
    blocks: Sequence[Block],
    measured: Sequence[Block],
    *,
    disagreement: float,
    num_waits: int,
    period_s: float = 0.0,
) -> Iterator[str]:
    """blocks: all of the window; measured: those that count; disagreement: from which share on two
    readings of the same energy are said to differ; num_waits: blocks shifted against the sensor;
    period_s: how often the GPUs' counters move."""
    faults = [block.fault for block in blocks if block.fault]
    if faults:
        yield f"{len(faults)} blocks were dropped; the last: {faults[-1]}"
    duration_s = sum(block.duration_s for block in measured)
    ticks = 2 * period_s / duration_s if duration_s else 0.0  # one at either end
    yield from _of_codecarbon(measured, disagreement, ticks)
    yield from _of_second_path(measured, ticks)
    if others := {pid for block in blocks for pid in block.others}:
        yield f"other processes computed on the same GPU: {sorted(others)}"
    if num_waits:
        yield (
            f"steps kept time with the GPU's sensor: {num_waits} blocks were shifted against it, "
            "each by a wait of less than its period"
        )


def _of_codecarbon(measured: Sequence[Block], disagreement: float, ticks: float) -> Iterator[str]:
    """Which calls the same counters: it differs where one of the two did not read them."""
    for name in ("gpu_kwh", "cpu_kwh"):  # CodeCarbon only models the memory
        pairs = [(getattr(b.energy, name), getattr(b.own, name)) for b in measured]
        known = [(other, own) for other, own in pairs if other is not None and own]
        if not known:
            continue
        other_kwh, own_kwh = (sum(pair[k] for pair in known) for k in (0, 1))
        allowed = disagreement + (ticks if name == "gpu_kwh" else 0.0)
        if (apart := abs(other_kwh / own_kwh - 1)) > allowed:
            component = name.removesuffix("_kwh").upper()
            yield (
                f"CodeCarbon's {component} energy differs by {100 * apart:.1f} % from this "
                "suite's own reading"
            )
    fallen = sum(block.codecarbon_gpu == "power" for block in measured)
    if fallen and any(block.own.gpu_kwh is not None for block in measured):
        yield f"CodeCarbon sampled the GPUs' power and read no counter in {fallen} blocks"


def _of_second_path(measured: Sequence[Block], ticks: float) -> Iterator[str]:
    """The boards' integrated power against their counters."""
    pairs = [(block.watched_j, block.own.gpu_kwh) for block in measured]
    known = [(joules, kwh) for joules, kwh in pairs if joules is not None and kwh]
    if not known or len(known) < len(pairs):
        return
    watched_j, counted_kwh = sum(joules for joules, _ in known), sum(kwh for _, kwh in known)
    if (apart := counted_kwh * J_PER_KWH / watched_j - 1 if watched_j else 0.0) and (
        abs(apart) > SECOND_PATH + ticks
    ):
        yield (
            f"the GPUs' energy counters differ by {100 * apart:+.1f} % from their integrated "
            "power: one of the two is wrong"
        )


def of_clocks(measured: Sequence[Block]) -> Iterator[str]:
    """Boards that lowered their clocks, not by their power limit."""
    bits = [block.state.throttle_reasons or 0 for block in measured if block.state is not None]
    if num_slowed := sum(bool(reasons & SLOWED_BITS) for reasons in bits):
        yield (
            f"heat or a power brake lowered the boards' clocks in {num_slowed} of {len(measured)} "
            "measured blocks: a cooler board would give another figure"
        )


def of_drift(drift: Steadiness) -> Iterator[str]:
    """Of a window that ended before its power was steady."""
    if drift.is_shown:
        yield f"not steady when the window ended: {drift.why}; its interval is widened"


def of_states(states: PowerStates) -> Iterator[str]:
    """Of a window that met a few power states of its load."""
    if states.are_few:
        yield (
            f"energy per sample changed its level {states.num - 1} times while measured: too "
            "few to know how long each lasts, so the interval takes each level as one observation "
            "(a longer meter.time_budget_s meets more)"
        )


def of_first_step(num_blocks: int, num_measured: int) -> Iterator[str]:
    """Of a window that ended before a block after the first."""
    if num_blocks and not num_measured:
        yield (
            "no rate: the phase ended in its first step, which also loads and compiles what a step "
            "needs"
        )


def of_data_wait(share: float | None, gpus: Sequence[Gpu]) -> Iterator[str]:
    """share: of the measured time, that the loop on the CPU waited for its next batch."""
    if gpus and share is not None and share >= MUCH_WAITING:
        yield (
            f"the loop waited for data {100 * share:.0f} % of the time, in which the GPUs may have "
            "had no work: the rate is one of reading and decoding as much as of the network "
            "(data.num_workers; data=tensors measures the network alone)"
        )


def of_length(measured_s: float, least_s: float) -> Iterator[str]:
    """Of a window that measured less than `least_s`, which its budget cut off."""
    if measured_s < least_s:
        yield (
            f"{measured_s:.0f} s were measured, less than meter.least_s={least_s:.0f}: what comes "
            "slowly or rarely (heat, power states, stalls) is not in the interval"
        )


def of_machine(gpus: Sequence[Gpu], clock_skew_s: float) -> Iterator[str]:
    """gpus: of all nodes; clock_skew_s: how far the nodes' clocks are apart."""
    if clock_skew_s > MAX_SKEW_S:
        yield f"the nodes' clocks are {clock_skew_s:.1f} s apart"
    if any(gpu.mig for gpu in gpus):
        yield "a MIG instance was metered as its whole GPU: no counter is narrower"


def of_sensors(sensors: Mapping[Component, Sensor]) -> Iterator[str]:
    """Components that are there and were not read, since others may use them."""
    if names := [name.upper() for name, sensor in sensors.items() if sensor.note == SHARED]:
        yield f"{' and '.join(names)} not metered: {SHARED}"
