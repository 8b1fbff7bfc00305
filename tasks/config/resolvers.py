"""Functions that files of `conf/` may call: `${name:argument}` (OmegaConf, custom resolvers)."""

from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf

POWER_LIMITS = (60, 80)
"""Percent of a board's power, each a file of `conf/switch`."""


def register() -> None:
    """Make them known. Cheap, and harmless when done again."""
    OmegaConf.register_new_resolver("if_limits_allowed", power_limit_switches, replace=True)
    OmegaConf.register_new_resolver("percent_of", percent_of, replace=True)


def power_limit_switches(is_allowed: Any) -> str:
    """More entries for a list of switches, where `hardware.allow_power_limit` is true."""
    return "".join(f",power_limit_{share}" for share in POWER_LIMITS) if is_allowed is True else ""


def percent_of(percent: int, watts: Any) -> float:
    """Raises `ValueError` where the profile does not tell its board's power."""
    if not isinstance(watts, int | float):
        raise ValueError("the profile has no hardware.board_power_w")
    return round(percent / 100 * watts, 1)
