"""A phase that is measured in a second attempt, to a narrower interval than the first one gave.

The attempts are groups: each has an interval of its own, from its own blocks, which allows for
their autocorrelation. Where the two agree within these intervals, the half-width of their mean,
weighted by samples, is sqrt(sum((weight x half-width)^2)). Where they do not, something has
changed between them (heat, another load), and the half-width is that of a mean of groups:
Student's t with one degree of freedom on the spread between them.
"""

from __future__ import annotations

import dataclasses
import math

from metering.record import CONFIDENCE, Interval, PhaseRecord, StopReason


def own_target(asked: float, earlier: float | None) -> float:
    """The relative half-width that the new attempt needs on its own, so that both together reach
    `asked`, where the earlier ones gave `earlier`: 1 / asked^2 = 1 / earlier^2 + 1 / own^2."""
    if earlier is None or earlier <= asked:
        return asked
    return 1 / math.sqrt(1 / asked**2 - 1 / earlier**2)


def marked(phase: PhaseRecord, run_id: str) -> PhaseRecord:
    """`phase` with the attempt that measured each of its blocks."""
    readings = tuple(
        reading if reading.attempt is not None else dataclasses.replace(reading, attempt=run_id)
        for reading in phase.readings
    )
    return dataclasses.replace(phase, readings=readings)


def joined(earlier: PhaseRecord, new: PhaseRecord, relative_error: float) -> PhaseRecord:
    """Both attempts as one phase. earlier: as `marked` gives it; its blocks stand first. What is
    no sum or mean is the new one's."""
    samples = (earlier.num_samples, new.num_samples)
    energy, agree = _joined(earlier.energy_kwh_per_sample, new.energy_kwh_per_sample, samples)
    duration, _ = _joined(earlier.duration_s_per_sample, new.duration_s_per_sample, samples)
    flags = [*earlier.flags, *new.flags, "measured in more than one attempt"]
    if not agree:
        flags.append("the attempts differ by more than their intervals: their spread is shown")
    spread = energy.relative_half_width if energy else None
    reason: StopReason = new.stop_reason
    if spread is not None and spread <= relative_error:
        reason = "relative_error"
    return dataclasses.replace(
        new,
        readings=(*earlier.readings, *new.readings),
        energy_kwh_per_sample=energy,
        duration_s_per_sample=duration,
        stop_reason=reason,
        data_wait_share=_mean(earlier.data_wait_share, new.data_wait_share, samples),
        emissions_kg_co2eq=_sum(earlier.emissions_kg_co2eq, new.emissions_kg_co2eq),
        quality=earlier.quality | new.quality,
        flags=tuple(dict.fromkeys(flags)),
        started_at=earlier.started_at,
    )


def _joined(
    first: Interval | None, second: Interval | None, samples: tuple[int, int]
) -> tuple[Interval | None, bool]:
    """The interval of both, and whether they agree."""
    if first is None or second is None or not sum(samples):
        return second or first, True
    weights = [number / sum(samples) for number in samples]
    mean = weights[0] * first.mean + weights[1] * second.mean
    half_width, agree = None, True
    if first.half_width is not None and second.half_width is not None:
        difference = abs(first.mean - second.mean)
        agree = difference <= math.hypot(first.half_width, second.half_width)
        half_width = math.hypot(weights[0] * first.half_width, weights[1] * second.half_width)
        if not agree:  # the standard error of a mean of two groups is half their difference
            half_width = max(half_width, _t_of_two_groups(CONFIDENCE) * difference / 2)
    effective = _sum(first.num_effective_blocks, second.num_effective_blocks)
    blocks = first.num_blocks + second.num_blocks
    return Interval(mean, half_width, CONFIDENCE, blocks, effective), agree


def _t_of_two_groups(confidence: float) -> float:
    """Student's t, two-sided, with one degree of freedom (Cauchy's distribution)."""
    return math.tan(math.pi * confidence / 2)


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _mean(first: float | None, second: float | None, samples: tuple[int, int]) -> float | None:
    if first is None or second is None or not sum(samples):
        return None
    return (first * samples[0] + second * samples[1]) / sum(samples)
