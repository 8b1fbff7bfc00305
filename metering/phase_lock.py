"""Steps that keep time with the sensor: it would see the same part of every step, and
not the power of the rest.

Yang, Adamek and Armour 2024 ("Accurate and Convenient Energy Measurements for GPUs", SC24) found
that the sensors of A100 and H100 boards look at 25 ms of every 100. What lies between is seen only
because steps and sensor drift against each other. Where they do not, a short wait before each block
shifts them; the wait lies outside of the block.
"""

from __future__ import annotations

import itertools
import math

DUTY = 0.25  # the least share of its period that a sensor is known to look at
UNSEEN = 0.1  # of a step, at most, that no look of the sensor comes near
LEAST_S = 12.0  # over which the looks are counted: as long as a window lasts at least
SECTION = (3 - math.sqrt(5)) / 2


def locked(step_s: float, period_s: float) -> bool:
    """Whether more than `UNSEEN` of a step of `step_s` stays unseen by a sensor that looks for
    `DUTY` of every `period_s`, both kept exactly."""
    num_looks = max(1, round(LEAST_S / period_s))
    steps_per_look = period_s / step_s
    looks = sorted((look * steps_per_look) % 1.0 for look in range(num_looks))
    gaps = [after - before for before, after in itertools.pairwise([*looks, looks[0] + 1.0])]
    return max(gaps) - DUTY * steps_per_look > UNSEEN


def wait_s(period_s: float) -> float:
    """How long to wait before each block: the golden section of the sensor's period, so that
    the beginnings of blocks, however many, are spread evenly over it."""
    return SECTION * period_s
