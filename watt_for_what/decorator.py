"""A function whose steps are measured whenever it is called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from metering.record import Phase
from watt_for_what.measuring import measure

Result = TypeVar("Result")


def measured(
    name: str, *, phase: Phase = "train", **options: Any
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """`@watt.measured("my-net", batch_size=256)`: the function gets the open window as `window=`.

    options: what `watt.measure` takes.
    """

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Result:
            with measure(name, **options) as run, run.window(phase) as window:
                return function(*args, window=window, **kwargs)

        return call

    return decorate
