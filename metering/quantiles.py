"""Quantiles of the distributions that intervals are made of."""

from __future__ import annotations

import math


def student_t(confidence: float, degrees: float) -> float:
    """Its two-sided quantile; of infinite degrees the normal distribution's."""
    from scipy.special import ndtri, stdtrit

    level = 0.5 + confidence / 2
    return float(ndtri(level) if math.isinf(degrees) else stdtrit(degrees, level))


def chi_square(share: float, degrees: float) -> float:
    """Below which a share of it lies."""
    from scipy.special import chdtri

    return float(chdtri(degrees, 1 - share))


def f_ratio(share: float, degrees: int, other_degrees: int) -> float:
    """Below which a share of the ratios of two variances of so many degrees lies."""
    from scipy.special import fdtri

    return float(fdtri(degrees, other_degrees, share))
