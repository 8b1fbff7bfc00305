"""What a line lists of GPUs, and whether what it says was used can have been drawn."""

from __future__ import annotations

import re

from analysis.records.codecarbon.energy_faults import UNIT_MISTAKEN
from analysis.records.codecarbon.parse import Line
from metering.record import RecordError

MOST_BOARD_W = 1500.0
MOST_MACHINE_W = 5000.0
"""More than any board, and than the processors and memory of any machine, draw."""
LEAST_BOARD_W = 1.0
LEAST_MACHINE_W = 0.1
LEAST_TIME_S = 10.0
"""In a shorter time a slow sensor may show nothing, or what was drawn before."""
MISTAKEN = 10
"""So many times the most is another unit."""
SHORT_S = 1.0
NOT_NAMED = "GPU of unknown kind"
J_PER_KWH = 3.6e6
_ONE = re.compile(r"(\d+)\s*x\s+(.+)")
_BETWEEN = re.compile(r"(?<=\S)\s*[,;|]\s*|(?<=\S)(?=\d x )")
"""CodeCarbon writes boards of two kinds without a mark: `1 x NVIDIA A1001 x Tesla T4`."""


def gpus_of(line: Line) -> tuple[str | None, int, list[str]]:
    """Model and number of the GPUs listed, and what to know. Raises `RecordError`."""
    names, listed = _listed(line.text("gpu_model"))
    count = line.number_of("gpu_count")
    if count is None:
        count = float(listed)
    if count != int(count):
        raise RecordError(f"gpu_count: {count} is not a whole number")
    is_read = _is_read(line)
    if not names and is_read:
        return NOT_NAMED, int(count), ["a GPU was read, and none is named"]
    if not names or (not count and not is_read):
        return None, int(count), []
    flags = []
    if not count:
        flags.append(f"gpu_count is 0, and the GPUs of gpu_model, {listed}, were read")
        count = float(listed)
    if len(names) > 1:
        flags.append(f"GPUs of several kinds: {', '.join(names)}")
    if listed not in (1, count):
        flags.append(f"gpu_count is {count:g}, and gpu_model lists {listed}")
    return " + ".join(names), int(count), flags


def _is_read(line: Line) -> bool:
    try:
        return bool(line.number_of("gpu_energy"))
    except RecordError:
        return False  # the line is refused for it


def power_flags(
    energies_kwh: tuple[float, float | None], duration_s: float, num_gpus: int, machine: bool
) -> tuple[list[str], bool]:
    """What to know of energies that no hardware can have drawn in that time, and whether a rate
    may be made of them: not where a unit was mistaken. energies_kwh: in all, and of the GPUs;
    machine: of a whole one."""
    total_w, gpu_w = (None if e is None else e * J_PER_KWH / duration_s for e in energies_kwh)
    assert total_w is not None
    boards = num_gpus or 1
    shares = {f"{total_w:.3g} W in all": total_w / (MOST_BOARD_W * num_gpus + MOST_MACHINE_W)}
    if gpu_w is not None:
        shares[f"{gpu_w:.3g} W of {boards} GPUs"] = gpu_w / (MOST_BOARD_W * boards)
    for part, share in shares.items():
        if duration_s >= SHORT_S and share > MISTAKEN:
            return [f"{part}: {UNIT_MISTAKEN}"], False
        if duration_s >= SHORT_S and share > 1:
            return [f"{part}: more than they can draw"], True
    lows = {f"{total_w:.2g} W in all": machine and total_w < LEAST_MACHINE_W}
    if gpu_w is not None and num_gpus:
        lows[f"{gpu_w:.2g} W of {num_gpus} GPUs"] = gpu_w < LEAST_BOARD_W * num_gpus
    for part, is_low in lows.items():
        if is_low and duration_s >= LEAST_TIME_S:
            note = f"less than they draw when idle: {UNIT_MISTAKEN}"
            return [f"{part}: {note}"], False
    return [], True


def _listed(model: str) -> tuple[list[str], int]:
    """Names of the kinds of boards, and how many boards the text lists."""
    parts = [part.strip(" '\"[]()") for part in _BETWEEN.split(model)]
    names: dict[str, int] = {}
    for part in filter(None, parts):
        match = _ONE.fullmatch(part)
        name, count = (match[2], int(match[1])) if match else (part, 1)
        names[name] = names.get(name, 0) + count
    return list(names), sum(names.values())
