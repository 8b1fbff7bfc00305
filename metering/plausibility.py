"""Readings that cannot be true: one line that says why, or nothing."""

from __future__ import annotations

import math

SENSOR_PERIOD_S = 0.1  # NVML's counters move about every 100 ms
STOOD_STILL = "a GPU energy counter stood still"
BESIDE_STOOD_STILL = f"{STOOD_STILL} in the block beside this one, where a part may be missing"
POWER_STOOD_STILL = "the power of a GPU without an energy counter stood still"
STILL_S = 10.0  # power under load differs from look to look, if only by milliwatts
MARGIN = 1.15  # a board may exceed its enforced limit for an instant
RAPL_PERIOD_S = 0.01  # RAPL's counters move every millisecond, in some virtual machines less often
RAPL_LIMIT_W = 1000.0  # per package or memory domain; no processor draws as much


def gpu_fault(
    used_j: float, duration_s: float, limit_w: float | None, period_s: float = SENSOR_PERIOD_S
) -> str:
    """Why one GPU's joules over `duration_s` cannot be true; empty when they can."""
    if not math.isfinite(used_j):
        return "a GPU energy counter gave no number"
    if used_j < 0:
        return "a GPU energy counter went backwards"
    if duration_s > 3 * period_s and used_j == 0:
        return STOOD_STILL
    # a counter may lag by one period at each end of the block
    if limit_w and used_j > limit_w * MARGIN * (duration_s + 2 * period_s):
        power_w = used_j / duration_s
        return f"GPU power of {power_w:.0f} W is above the board's limit of {limit_w:.0f} W"
    return ""


def rapl_fault(name: str, used_j: float, duration_s: float) -> str:
    """The same of one RAPL domain. Its counter wraps in the ordinary course of things; what looks
    like a wrap of kilowatts was a reset."""
    if duration_s > 3 * RAPL_PERIOD_S and used_j == 0:
        return f"the RAPL counter of {name} stood still"
    if used_j > RAPL_LIMIT_W * (duration_s + 2 * RAPL_PERIOD_S):
        return f"the RAPL counter of {name} was reset or jumped ({used_j:.0f} J)"
    return ""


def other_fault(gpu_kwh: float | None, duration_s: float) -> str:
    """The same of GPUs that CodeCarbon alone can read; it clips and skips what it cannot read."""
    if gpu_kwh is None:
        return "no GPU energy was read"
    if duration_s > 3 * SENSOR_PERIOD_S and gpu_kwh <= 0:
        return "the GPUs' energy as CodeCarbon reads it stood still"
    return ""
