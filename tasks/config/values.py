"""Types of single values of a config. Each says in words what it takes, for the line of a refusal.

A number may come as text, as `${oc.env:BATCH}` gives it; true and false are no numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from metering.emissions import countries
from tasks.config.weight_files import PRETRAINED

MOST = 2**31 - 1
"""Counts above this overflow in the libraries that take them."""

_VARIABLE = re.compile(r"\$(?:([A-Z_][A-Z0-9_]*)|\{([A-Z_][A-Z0-9_]*)\})(?=/|$)")

_MOST_NAME_BYTES = 255  # of a file, on all that Linux and macOS format


def _whole(least: int, most: int = MOST) -> Callable[[Any], int]:
    limits = f"of at least {least}" if most == MOST else f"from {least} to {most}"
    words = f"is not a whole number {limits}; give one"

    def check(value: Any) -> int:
        number = value
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
            number = int(value)
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise PydanticCustomError("whole", words)
        return number

    return check


def _number(is_allowed: Callable[[float], bool], words: str) -> Callable[[Any], float]:
    def check(value: Any) -> float | int:
        number = value
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                number = None
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not math.isfinite(number) or not is_allowed(number):
            raise PydanticCustomError("number", words)
        return number

    return check


def _flag(value: Any) -> bool:
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise PydanticCustomError("flag", "is neither true nor false; use true or false")
    return value


def text(value: Any) -> str:
    """Numbers are text where text is meant: an account or a folder may be called 4711."""
    if isinstance(value, bool | list | dict) or value is None or not str(value).strip():
        raise PydanticCustomError("text", "is not text; give a name or a path")
    return str(value)


def _name(value: str) -> str:
    if re.search(r"[/\\\x00-\x1f]", value) or value in (".", "..") or len(value.encode()) > 150:
        raise PydanticCustomError(
            "name", "cannot name a folder; give a short name without slashes or line breaks"
        )
    return value


def _country(value: str) -> str:
    if value not in countries():
        raise PydanticCustomError(
            "country",
            "has no emission factor in CodeCarbon's table; "
            "give three capital letters (ISO 3166), such as GBR",
        )
    return value


def _price(value: str) -> str:
    amount, _, currency = value.strip().partition(" ")
    try:
        is_price = float(amount) > 0 and bool(re.fullmatch("[A-Z]{3}", currency.strip()))
    except ValueError:
        is_price = False
    if not is_price or not math.isfinite(float(amount)):
        raise PydanticCustomError(
            "price",
            "is no price of a kWh; give a number and a currency (ISO 4217), such as "
            "hardware.price_per_kwh='0.28 EUR'",
        )
    return f"{amount} {currency.strip()}"


def place(value: str) -> str:
    """A path that the operating system can be asked for, whether it is there or not."""
    try:
        parts = Path(value).expanduser().parts
    except RuntimeError:
        raise PydanticCustomError("path", "is in no user's home; give a path") from None
    if (variable := _VARIABLE.search(value)) is not None:
        name = variable[1] or variable[2]
        raise PydanticCustomError(
            "path",
            f"has a variable of the shell, which nothing replaces here; write ${{oc.env:{name}}}",
        )
    if "\0" in value or any(len(part.encode()) > _MOST_NAME_BYTES for part in parts):
        raise PydanticCustomError("path", "is no path (too long, or a zero byte); give one")
    return value


def _file(value: str) -> str:
    if not Path(place(value)).expanduser().is_file():
        raise PydanticCustomError("file", "is not a file; give an existing one")
    return str(Path(value).expanduser())


def _weights(value: str) -> str:
    return value if value == PRETRAINED else _file(value)


def _folder(value: str) -> str:
    if not Path(place(value)).expanduser().is_dir():
        raise PydanticCustomError("folder", "is not a folder; give an existing one")
    return value


NonNegativeWhole = Annotated[int, BeforeValidator(_whole(0))]
Count = Annotated[int, BeforeValidator(_whole(1))]
MAX_REPEATS = 1000
Repeats = Annotated[int, BeforeValidator(_whole(1, MAX_REPEATS))]
"""Each is a plan of its own, also in a dry run."""
Blocks = Annotated[int, BeforeValidator(_whole(2))]
Seed = Annotated[int, BeforeValidator(_whole(0, 2**32 - 1))]
"""NumPy's generators take no larger one."""

Finite = Annotated[float, BeforeValidator(_number(lambda _: True, "is not a number; give one"))]
Positive = Annotated[
    float, BeforeValidator(_number(lambda value: value > 0, "is not a number above 0; give one"))
]
NonNegative = Annotated[
    float,
    BeforeValidator(_number(lambda value: value >= 0, "is not a number of at least 0; give one")),
]
Share = Annotated[
    float,
    BeforeValidator(_number(lambda value: 0 < value <= 1, "is not in (0, 1]; 0.1 is a tenth")),
]
ShareOrNone = Annotated[
    float,
    BeforeValidator(_number(lambda value: 0 <= value <= 1, "is not in [0, 1]; 0.1 is a tenth")),
]

Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, BeforeValidator(text)]
Place = Annotated[str, AfterValidator(place), BeforeValidator(text)]
"""A path, or a name that may be one."""
Name = Annotated[str, AfterValidator(_name), BeforeValidator(text)]
Country = Annotated[str, AfterValidator(_country), BeforeValidator(text)]
Price = Annotated[str, AfterValidator(_price), BeforeValidator(text)]
"""A number and a currency, `0.28 EUR`."""
ExistingFile = Annotated[str, AfterValidator(_file), BeforeValidator(text)]
Weights = Annotated[str, AfterValidator(_weights), BeforeValidator(text)]
"""A file, or `pretrained`."""
ExistingFolder = Annotated[str, AfterValidator(_folder), BeforeValidator(text)]
