"""Single values of a config, checked: each function gives the value or raises `PlanError`."""

from __future__ import annotations

from typing import Any

from tasks.errors import PlanError


def choice(key: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise PlanError(f"{key}={value} is unknown; use one of {', '.join(known)}")
    return str(value)


def flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise PlanError(f"{key}={value} is neither true nor false; use true or false")
    return value


def whole(key: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise PlanError(f"{key}={value} is not a whole number of at least {least}; give one")
    return value


def positive_whole(key: str, value: Any) -> int:
    return whole(key, value, least=1)


def positive(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise PlanError(f"{key}={value} is not a number above 0; give one")
    return float(value)


def wall_meter(values: dict[str, Any]) -> None:
    """The calibration of `hardware.wall_meter`: all of it, in numbers."""
    needed = {"factor", "offset_w", "error_pct"}
    if set(values) != needed:
        raise PlanError(
            f"hardware.wall_meter={values} needs factor, offset_w and error_pct; "
            "give all three or none"
        )
    positive("hardware.wall_meter.factor", values["factor"])
    positive("hardware.wall_meter.error_pct", values["error_pct"])
    offset = values["offset_w"]
    if isinstance(offset, bool) or not isinstance(offset, int | float):
        raise PlanError(f"hardware.wall_meter.offset_w={offset} is not a number; give watts")
