"""The interval of a ratio of two numbers that have intervals."""

from __future__ import annotations

import math


def fieller(
    numerator: float, numerator_half_width: float, denominator: float, denominator_half_width: float
) -> tuple[float, float] | None:
    """The interval of numerator / denominator by Fieller's theorem, at the confidence of the two
    half-widths; `None` where the denominator's interval holds 0 and the ratio's has no end.

    All r with |numerator - r x denominator| <= sqrt(a^2 + r^2 b^2), a and b being the half-widths:
    exact for independent normal errors, where the delta method is symmetric and too narrow for a
    noisy denominator. Fieller 1954, "Some problems in interval estimation", J. R. Stat. Soc. B 16.
    """
    a, b = numerator_half_width, denominator_half_width
    square = denominator**2 - b**2
    if square <= 0:
        return None
    middle = numerator * denominator
    root = math.sqrt(middle**2 - square * (numerator**2 - a**2))
    return (middle - root) / square, (middle + root) / square
