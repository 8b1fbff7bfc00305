"""The error budget of one window, from its blocks and what is known of the sensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from metering.block import preferred
from metering.board_gain import gain_of
from metering.error_budget import ErrorBudget
from metering.record import Interval
from metering.rows import Row, measured_power_kw, num_chains
from metering.settings import MeterSettings
from metering.steadiness import STILL_TO_COME, Steadiness

if TYPE_CHECKING:
    from metering.window_meter import WindowMeter

LAG_S = 0.1  # beyond a sensor's period, that its counter may lag behind
J_PER_KWH = 3.6e6

# Assumed, and shown on the panel's boards: 6 % on the way from cold to hot, some 40 C, and a boost
# that ends after half a minute
HEAT_TAU_S, ROUNDED_C, PER_C, MOST_WARMING = 100.0, 1.0, 0.0016, 0.15


def budget_of(
    meter: WindowMeter,
    kept: Sequence[Row],
    noise: Interval | None,
    drift: Steadiness,
    *,
    begins_idle: bool,
) -> ErrorBudget | None:
    """None without blocks. noise: the interval between blocks alone; begins_idle: the first block
    that counts began on an idle device."""
    if not kept:
        return None
    sensors = meter.sensors()
    kept_s = measured_s(kept)
    spread = noise.relative_half_width if noise is not None else None
    widening = 0.0 if drift.is_steady else STILL_TO_COME * abs(drift.change)
    unseen = 0.0
    tick = gap = lag = latency = None
    gain = None
    if meter.all_gpus:
        period_s = meter.sensor_period_s
        tick = 1.96 * period_s * math.sqrt(num_chains(kept) / 6) / kept_s
        gap = sum(row.block.gap_s for row in kept) / kept_s * _idle_share(meter, kept)
        lag = (period_s + LAG_S) / kept_s if begins_idle else 0.0
        latency = meter.latency_s * num_chains(kept) / kept_s
        unseen = unseen_warming(kept, meter.settings)
        gain = gain_of(meter.all_gpus, sensors["gpu"].how)
    others = [term for term in (gap, lag, latency) if term is not None]
    others.append(drift.at_most)
    repeat = None if spread is None else math.hypot(spread, *others) + widening + unseen
    absolute = None
    if gain is not None and gain.half_width is not None and repeat is not None:
        absolute = repeat + gain.half_width * _gpu_share(kept)
    return ErrorBudget(
        noise=spread,
        tick=tick,
        drift=widening or drift.at_most,
        gap=gap,
        lag=lag,
        latency=latency,
        unseen=unseen,
        repeat=repeat,
        gain_low=None if gain is None else gain.low,
        gain_high=None if gain is None else gain.high,
        absolute=absolute,
        absolute_note="" if gain is None else gain.note,
        modelled_share=_modelled_share(meter, kept),
    )


def unseen_warming(kept: Sequence[Row], settings: MeterSettings) -> float:
    """What the energy per sample may still change by as the boards warm up, relative, after an
    adaptive window whose blocks that count measured less than `least_s`; 0 after a longer one,
    which would have seen it. The temperature may go on for `HEAT_TAU_S` as it went from the first
    half of these blocks to the second, and by as much more as it is rounded by."""
    if settings.mode != "adaptive" or measured_s(kept) >= settings.least_s:
        return 0.0
    states = [row.block.state for row in kept]
    celsius = [None if state is None else state.temperature_c for state in states]
    known = [degrees for degrees in celsius if degrees is not None]
    half = len(known) // 2
    if not half or len(known) < len(kept):
        return MOST_WARMING
    went_c = abs(fmean(known[half:]) - fmean(known[:half])) + ROUNDED_C / 2
    half_s = (kept[-1].started_at_s - kept[0].started_at_s + kept[-1].block.duration_s) / 2
    return min(MOST_WARMING, PER_C * went_c / half_s * HEAT_TAU_S)


def measured_s(rows: Sequence[Row]) -> float:
    return sum(row.block.duration_s for row in rows)


def _idle_share(meter: WindowMeter, kept: Sequence[Row]) -> float:
    """Of the power in work, that the machine draws idle; 1 where it is not known."""
    power_kw = measured_power_kw(kept)
    if meter.idle_power_w is None or not power_kw:
        return 1.0
    return min(1.0, meter.idle_power_w / 1000 / power_kw)


def _gpu_share(kept: Sequence[Row]) -> float:
    parts = [preferred(row.block) for row in kept]
    total = sum(part.total_kwh or 0.0 for part in parts)
    return sum(part.gpu_kwh or 0.0 for part in parts) / total if total else 0.0


def _modelled_share(meter: WindowMeter, kept: Sequence[Row]) -> float:
    """Of the energy, that no sensor read."""
    modelled = {name for name, sensor in meter.sensors().items() if sensor.how == "modelled"}
    total = models = 0.0
    for row in kept:
        energy = preferred(row.block)
        for name in ("gpu", "cpu", "ram"):
            kwh = getattr(energy, f"{name}_kwh") or 0.0
            total += kwh
            models += kwh if name in modelled else 0.0
    return models / total if total else 0.0
