"""Every interval at 95 %, whatever confidence a record was measured at."""

from __future__ import annotations

import math
from functools import cache

from metering.record import CONFIDENCE

Z_95 = 1.959964
"""Half-width over standard deviation of a two-sided 95 % interval of the normal distribution."""


@cache
def student_t(degrees: float, confidence: float = CONFIDENCE) -> float:
    """Quantile of Student's t of a two-sided interval."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))


def at_95(half_width: float, confidence: float, num_effective_blocks: float | None) -> float:
    """`half_width` of an interval at `confidence` as that of one at 95 %: both are the same
    standard error times Student's t with one degree less than there are effective blocks;
    without their number, times the normal quantile."""
    if confidence == CONFIDENCE:
        return half_width
    degrees = math.inf if num_effective_blocks is None else max(1.0, num_effective_blocks - 1)
    return half_width * student_t(degrees) / student_t(degrees, confidence)
