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
