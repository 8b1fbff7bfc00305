"""What this suite offers to those who import it: `import watt_for_what as watt`.

    watt.load(["runs"]).frame      # every record under a folder, a row a phase (pandas)
    watt.read_record("runs/.../record.json").phases["train"].energy_kwh_per_sample

A name is looked up when it is first used: the import itself loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.records.load import load
    from metering.record import Record
    from metering.record_file import read as read_record

__all__ = ["Record", "load", "read_record"]

# public name -> module, and the name there
_WHERE = {
    "Record": ("metering.record", "Record"),
    "load": ("analysis.records.load", "load"),
    "read_record": ("metering.record_file", "read"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _WHERE[name]
    return getattr(importlib.import_module(module), there)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
