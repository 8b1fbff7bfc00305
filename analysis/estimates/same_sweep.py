"""Rates of two set-ups beside each other: those of the sweeps that measured both."""

from __future__ import annotations

from analysis.estimates.measured import Measured
from analysis.estimates.rates import MeasuredRate

Key = tuple[str, str]
"""Stage and phase."""


def in_sweeps(one: Measured, key: Key) -> dict[int, MeasuredRate]:
    """The rate of each sweep that measured it."""
    return {sweep: rates[key] for sweep, rates in one.in_sweeps.items() if key in rates}


def common(one: Measured, other: Measured, key: Key) -> list[tuple[MeasuredRate, MeasuredRate]]:
    """Of each sweep that has both; none where no sweep has. Both rows are of one `merge`."""
    ours, theirs = in_sweeps(one, key), in_sweeps(other, key)
    return [(rate, theirs[sweep]) for sweep, rate in ours.items() if sweep in theirs]


def best_common(one: Measured, other: Measured, key: Key) -> tuple[MeasuredRate, MeasuredRate]:
    """Of the sweep with the most runs of both; over all runs where no sweep has both."""
    pairs = common(one, other, key)
    if not pairs:
        return one.rates[key], other.rates[key]
    return max(pairs, key=lambda pair: min(rate.num_records for rate in pair))
