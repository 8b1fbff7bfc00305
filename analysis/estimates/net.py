"""Net energy: what the work itself took, without what the machine draws while it waits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

COLUMNS = (
    "measured_net_train_kwh_per_sample",
    "measured_net_train_half_width",
    "measured_net_test_kwh_per_sample",
    "measured_net_test_half_width",
)
MEANING = (
    "net: the sensors' energy less idle power (read before the windows, device context open) x "
    "seconds per sample; the idle power itself counts as exact"
)
NEGATIVE = "no net energy: idle power over the same time is more than what was used"


@dataclass(frozen=True)
class Net:
    """value: kWh per sample, or None with the reason in `note`; half_width: of its interval."""

    value: float | None
    half_width: float | None = None
    note: str = ""


def idle_kwh_per_sample(
    idle_power_w: float, s_per_sample: float, s_half_width: float | None
) -> tuple[float, float | None]:
    """kWh that an idle machine of `idle_power_w` draws in the time of a sample, with the
    half-width that the time brings."""
    half_width = None if s_half_width is None else idle_power_w * s_half_width / 3.6e6
    return idle_power_w * s_per_sample / 3.6e6, half_width


def net(
    gross_kwh: float, half_width: float | None, idle_kwh: float, idle_half_width: float | None
) -> Net:
    """Gross less idle energy of a sample, kWh. A difference below zero is None with a note.

    The interval is the delta method's: both half-widths in quadrature. Neglected are the error of
    the idle power, which is read once and has no interval, and the covariance of energy and time:
    slower blocks use more, so the difference is rather surer than the interval says.
    """
    if idle_kwh > gross_kwh:
        return Net(None, note=NEGATIVE)
    value = gross_kwh - idle_kwh
    if half_width is None or idle_half_width is None:
        return Net(value, None, MEANING)
    return Net(value, math.hypot(half_width, idle_half_width), MEANING)


def columns(phase: str, rate: Any, notes: dict[str, str]) -> dict[str, float | None]:
    """The table's net columns of `phase` from a rate (`merge.MeasuredRate`), what must be said of
    them into `notes`; empty where idle power or pace was not measured."""
    if rate.idle_kwh_per_sample is None:
        return {}
    net_energy = net(
        rate.kwh_per_sample, rate.half_width, rate.idle_kwh_per_sample, rate.idle_half_width
    )
    notes[f"measured_net_{phase}_kwh_per_sample"] = net_energy.note
    return {
        f"measured_net_{phase}_kwh_per_sample": net_energy.value,
        f"measured_net_{phase}_half_width": net_energy.half_width,
    }
