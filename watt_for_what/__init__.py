"""What this suite offers to those who import it: `import watt_for_what as watt`.

    with watt.measure("my-net", batch_size=256) as run:   # a loop of your own: docs/own-loop.md
        with run.window("train") as window:
            ...
    watt.load(["runs"]).frame      # every record under a folder, a row a phase (pandas)
    watt.read_record("runs/.../record.json").phases["train"].energy_kwh_per_sample

A name is looked up when it is first used: the import itself loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.records.load import load
    from metering.record import Record, Stage
    from metering.record_file import read as read_record
    from metering.settings import MeterSettings
    from metering.used import used
    from watt_for_what.decorator import measured
    from watt_for_what.errors import WattError
    from watt_for_what.measuring import measure
    from watt_for_what.run import Run
    from watt_for_what.window import Window

__all__ = [
    "MeterSettings",
    "Record",
    "Run",
    "Stage",
    "WattError",
    "Window",
    "load",
    "measure",
    "measured",
    "read_record",
    "used",
]

# public name -> module, and the name there
_WHERE = {
    "MeterSettings": ("metering.settings", "MeterSettings"),
    "Record": ("metering.record", "Record"),
    "Run": ("watt_for_what.run", "Run"),
    "Stage": ("metering.record", "Stage"),
    "WattError": ("watt_for_what.errors", "WattError"),
    "Window": ("watt_for_what.window", "Window"),
    "load": ("analysis.records.load", "load"),
    "measure": ("watt_for_what.measuring", "measure"),
    "measured": ("watt_for_what.decorator", "measured"),
    "read_record": ("metering.record_file", "read"),
    "used": ("metering.used", "used"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _WHERE[name]
    return getattr(importlib.import_module(module), there)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
