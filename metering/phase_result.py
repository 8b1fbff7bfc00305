"""The record of one phase, from the blocks of its window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metering import flags
from metering.block import MeterError
from metering.budget import budget_of
from metering.emissions import emitted_kg
from metering.error_budget import ErrorBudget
from metering.power_states import power_states
from metering.record import CONFIDENCE, Interval, Phase, PhaseRecord, StopReason
from metering.rows import Row, duration_interval, energy_interval, measured
from metering.steadiness import steadiness

if TYPE_CHECKING:
    from metering.window_meter import WindowMeter


def refuse_too_many_dropped(phase: Phase, rows: Sequence[Row], max_share: float) -> None:
    """Raises `MeterError` when more than `max_share` of the blocks cannot be believed."""
    faults = [row.block.fault for row in rows if row.block.fault]
    if len(faults) > max_share * max(1, len(rows)):
        raise MeterError(
            f"{phase}: {len(faults)} of {len(rows)} blocks are not plausible; "
            f"the last: {faults[-1]}"
        )


def repeatable(energy: Interval | None, budget: ErrorBudget | None) -> Interval | None:
    """`energy`, the interval between blocks, widened to what another run on this board would
    give."""
    if energy is None or energy.half_width is None or budget is None or budget.repeat is None:
        return energy
    return replace(energy, half_width=budget.repeat * energy.mean)


def at_least(energy: Interval | None, width: float) -> Interval | None:
    """`energy` with a relative half-width of `width`, where it is narrower."""
    if energy is None or energy.half_width is None:
        return energy
    return replace(energy, half_width=max(energy.half_width, width * energy.mean))


def is_adaptive_on_gpu(meter: WindowMeter) -> bool:
    """Whether the window itself decided how long it measured boards that a counter reads."""
    return meter.settings.mode == "adaptive" and bool(meter.all_gpus)


def phase_record(
    meter: WindowMeter,
    phase: Phase,
    batch_size: int,
    rows: Sequence[Row],
    num_warm_up: int,
    num_sizing: int,
    *,
    least_width: float,
    is_chosen: bool,
    stop_reason: StopReason,
    num_waits: int,
    cpu_flags: Sequence[str],
    began_s: float,
) -> PhaseRecord:
    """num_warm_up: leading blocks that do not count; num_sizing: of those, too short; least_width:
    relative half-width that the interval between blocks has at least; is_chosen: see
    `metering.stopping.StoppingRule`; num_waits: blocks that were shifted against the sensor;
    cpu_flags: what a reader of the CPU's energy has to know; began_s: on the meter's clock."""
    kept = measured(rows, num_warm_up)
    states = power_states(kept, meter.sensor_period_s)
    energy = _energy(meter, kept, max(least_width, states.half_width(CONFIDENCE)), is_chosen)
    drift = steadiness(rows[num_sizing:], kept)
    budget = budget_of(meter, kept, energy, drift, begins_idle=num_warm_up == 0 and bool(rows))
    wait_share = _data_wait_share(kept)
    return PhaseRecord(
        phase=phase,
        readings=tuple(row.reading(index < num_warm_up) for index, row in enumerate(rows)),
        sensors=dict(meter.sensors()),
        energy_kwh_per_sample=repeatable(energy, budget),
        duration_s_per_sample=duration_interval(kept, CONFIDENCE),
        stop_reason=stop_reason,
        batch_size=batch_size,
        num_nodes=meter.ranks.num_nodes,
        data_wait_share=wait_share,
        idle_power_w=meter.idle_power_w,
        emissions_kg_co2eq=emitted_kg([row.energy_kwh for row in kept], meter.emission_factor),
        error_budget=budget,
        flags=(
            *_flags_of_rows(meter, rows, kept, num_waits),
            *flags.of_drift(drift),
            *flags.of_states(states),
            *flags.of_first_step(len(rows), len(rows) - num_warm_up),
            *_flags_of_length(meter, kept),
            *flags.of_data_wait(wait_share, meter.all_gpus),
            *_flags_of_machine(meter),
            *cpu_flags,
        ),
        started_at=_wall_clock(meter, began_s) if rows else None,
    )


def _flags_of_machine(meter: WindowMeter) -> Iterator[str]:
    yield from flags.of_machine(meter.all_gpus, meter.clock_skew_s)
    yield from flags.of_sensors(meter.sensors())


def _energy(
    meter: WindowMeter, kept: Sequence[Row], least_width: float, is_chosen: bool
) -> Interval | None:
    """Per sample, from the noise between blocks, at least as wide as `least_width`, relative."""
    interval = energy_interval(kept, CONFIDENCE, meter.sensor_period_s, is_chosen=is_chosen)
    return at_least(interval, least_width)


def _data_wait_share(kept: Sequence[Row]) -> float | None:
    """Of the time of the blocks that count."""
    kept_s = sum(row.block.duration_s for row in kept)
    return sum(row.data_wait_s for row in kept) / kept_s if kept_s else None


def _flags_of_length(meter: WindowMeter, kept: Sequence[Row]) -> Iterator[str]:
    least_s = meter.settings.least_s if is_adaptive_on_gpu(meter) else 0.0
    return flags.of_length(sum(row.block.duration_s for row in kept), least_s)


def _flags_of_rows(
    meter: WindowMeter, rows: Sequence[Row], kept: Sequence[Row], num_waits: int
) -> list[str]:
    blocks = [row.block for row in kept]
    of_blocks = flags.of_blocks(
        [row.block for row in rows],
        blocks,
        disagreement=meter.settings.disagreement,
        num_waits=num_waits,
        period_s=meter.sensor_period_s if meter.all_gpus else 0.0,
    )
    return [*of_blocks, *flags.of_clocks(blocks)]


def _wall_clock(meter: WindowMeter, clock_s: float) -> str:
    """When the meter's clock showed `clock_s`, ISO 8601, UTC."""
    ago = timedelta(seconds=meter.clock() - clock_s)
    return (datetime.now(UTC) - ago).isoformat(timespec="milliseconds")
