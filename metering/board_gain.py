"""The gain error of GPU power sensors, as others measured it against a meter at the board's plugs.

Yang, Adamek and Armour 2024, "Accurate and Convenient Energy Measurements for GPUs" (SC24): 16
boards with a probe on the slot and the power cables (`sensor_gain.csv`). They tested `power.draw`
and its instantaneous form; nobody there tested NVML's energy counter, nor an A6000, V100 or H100.
Two boards of one name differ, so a board's name says nothing exact of another.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from metering.sensors.nvml import Gpu

FILE = Path(__file__).with_name("sensor_gain.csv")
SOURCE = "Yang, Adamek and Armour 2024 (SC24)"
SINCE_AMPERE = ("A100", "A5000", "RTX 30", "RTX 40")


@dataclass(frozen=True)
class TestedBoard:
    """error: (reading - true) / true of its energy; spread: standard deviation over runs."""

    name: str
    uuid_begin: str
    error: float
    spread: float


@dataclass(frozen=True)
class Gain:
    """What is known of the boards of a run: the range of the tested ones closest to them, the half-
    width of the gain where every board was itself tested, and words."""

    low: float
    high: float
    half_width: float | None
    note: str


@cache
def tested_boards() -> tuple[TestedBoard, ...]:
    with FILE.open(encoding="utf-8", newline="") as stream:
        return tuple(
            TestedBoard(
                row["board"],
                row["board_uuid"],
                float(row["energy_error_pct"]) / 100,
                float(row["energy_error_sd_pct"]) / 100,
            )
            for row in csv.DictReader(stream)
        )


def gain_of(gpus: Sequence[Gpu], how: str) -> Gain | None:
    """Of the boards of a run, whose GPU energy was read as `how` says; None without boards."""
    if not gpus:
        return None
    boards = tested_boards()
    named = [board for board in boards if any(_same_name(board.name, gpu.name) for gpu in gpus)]
    recent = [board for board in boards if any(name in board.name for name in SINCE_AMPERE)]
    closest = named or recent
    errors = [board.error for board in closest]
    ours = [
        [board for board in boards if gpu.uuid.removeprefix("GPU-").startswith(board.uuid_begin)]
        for gpu in gpus
    ]
    half_width: float | None = None
    if how == "power" and all(ours):
        half_width = max(abs(test.error) + 2 * test.spread for tests in ours for test in tests)
        return Gain(min(errors), max(errors), half_width, f"this board was tested: {SOURCE}")
    num_boards = len({board.uuid_begin for board in closest})
    which = f"{num_boards} boards of this name" if named else f"{num_boards} Ampere and Ada boards"
    reason = "NVML's energy counter was not tested" if how == "counter" else "no board was this one"
    note = (
        f"not known: {reason}; power.draw of {which} read {100 * min(errors):+.1f} to "
        f"{100 * max(errors):+.1f} % off: {SOURCE}"
    )
    return Gain(min(errors), max(errors), None, note)


def _same_name(tested: str, name: str) -> bool:
    words = ("NVIDIA", "GeForce", "Tesla", "Alienware")

    def core(text: str) -> str:
        return " ".join(word for word in text.replace("-", " ").split() if word not in words)

    return core(tested) == core(name)
