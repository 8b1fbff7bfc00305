"""Numbers as text: as many digits as their interval bears."""

from __future__ import annotations

import math

_SURE_DIGITS = 2
"""Of an interval's half-width; the value ends at the same decimal."""


def absent(value: object) -> bool:
    """Whether a cell holds nothing: None, NaN or pandas' NA."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ == "NAType"


def plain(value: float) -> str:
    """Four significant digits, without an exponent where a person would write none."""
    if abs(value) >= 1000:
        return f"{value:.0f}"
    if value and abs(value) < 1e-4:
        return f"{value:.3e}"
    return f"{value:.4g}"


def percent(share: float, sign: str = "") -> str:
    """A share in percent without its unit: two significant digits, more where the whole number has
    more, never an exponent. sign: `+` writes one before a rise too."""
    value = 100 * share
    if abs(value) >= 99.5:
        return f"{value:{sign}.0f}"
    return f"{value:{sign}.4f}" if 0 < abs(value) < 1e-3 else f"{value:{sign}.2g}"


def with_interval(value: float, half_width: float | None) -> str:
    """`224.0 ± 3.1`; without an interval the number alone."""
    if half_width is None or absent(half_width) or half_width <= 0 or not math.isfinite(half_width):
        return plain(value)
    decimals = _SURE_DIGITS - 1 - math.floor(math.log10(half_width))
    # 0.0996 is rounded to 0.100: one decimal less then shows two digits
    if round(half_width, decimals) >= 10.0 ** (_SURE_DIGITS - decimals):
        decimals -= 1
    if not value and half_width < 1e-4:
        return f"0 ± {plain(half_width)}"
    if value and abs(value) < 1e-4:
        exponent = math.floor(math.log10(abs(value)))
        scaled = with_interval(value / 10.0**exponent, half_width / 10.0**exponent)
        return f"({scaled})e{exponent:03d}"
    shown = max(decimals, 0)
    return f"{round(value, decimals):.{shown}f} ± {round(half_width, decimals):.{shown}f}"
