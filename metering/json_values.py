"""Values of a record's plain JSON parts, looked up with one line of error where they are damaged.

Absent or null is a default; what cannot be meant raises `RecordError` with the key's name.
"""

from __future__ import annotations

from typing import Any

from metering.bounds import MOST
from metering.record import RecordError


def group(values: dict[str, Any], name: str, of: str = "config") -> dict[str, Any]:
    """One group of settings in `values`, empty where it is absent."""
    settings = values.get(name)
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise RecordError(f"{of}.{name}: {shown(settings)} is not a group of settings")
    return settings


def number(config: dict[str, Any], of: str, key: str, default: float, most: float = MOST) -> float:
    """`config[of][key]`, a number above 0 and up to `most`."""
    value = group(config, of).get(key)
    if value is None:
        return default
    if not is_number(value) or not 0 < value <= most:
        raise RecordError(f"config.{of}.{key}: {shown(value)} is not above 0 and up to {most:g}")
    return float(value)


def whole(config: dict[str, Any], of: str, key: str, default: int) -> int:
    """`config[of][key]`, a whole number from 1 to `MOST`."""
    value = number(config, of, key, default)
    if value != int(value):
        raise RecordError(f"config.{of}.{key}: {shown(value)} is not a whole number")
    return int(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(values: dict[str, Any], where: str, *keys: str) -> str | None:
    """The first of `keys` in `values` that is not absent; `where` they lie, for the error."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, str):
            return value
        if value is not None:
            raise RecordError(f"{where}.{key}: {shown(value)} is not text")
    return None


def shown(value: Any) -> str:
    """A damaged value in one short line."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, dict | list):
        return f"a {type(value).__name__} of {len(value)}"
    words = repr(value)
    return words if len(words) <= 40 else f"{words[:40]}..."
