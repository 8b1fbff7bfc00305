"""One run of several processes, each with a tracker and a file of its own, as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from analysis.records.codecarbon.quantities import Logged
from analysis.records.codecarbon.tasks import with_energies_of

_RANK = re.compile(r"(?:^|[_.-]|rank|gpu|node|proc|process|worker|device|local)(\d{1,4})$", re.I)
SHARED_FROM = 0.5
"""Ranks run at the same time: their windows share at least this much of the shorter."""


def rank_of(path: str) -> int | None:
    """The rank that a file's name, or its folder's, ends with: `emissions_3.csv`,
    `rank_3/emissions.csv`; None where neither does."""
    file = Path(path)
    for name in (file.stem, file.parent.name):
        if match := _RANK.search(name):
            return int(match[1])
    return None


def are_ranks(paths: Sequence[str], parts: Sequence[Logged]) -> bool:
    """Whether these are the processes of one run: a rank each, and at the same time."""
    ranks = [rank_of(path) for path in paths]
    numbered = [rank for rank in ranks if rank is not None]
    unnumbered = len(ranks) - len(numbered)  # rank 0 may have kept the plain name
    if unnumbered > 1 or (unnumbered and 0 in numbered) or len(set(numbered)) < len(numbered):
        return False
    return all(_overlap(parts[0], other) for other in parts[1:])


def added(paths: Sequence[str], parts: Sequence[Logged]) -> Logged:
    """Energies of all ranks, of the longest one's time, with what to know. The total has no rate
    where a rank is missing, or where each file may hold the whole machine."""
    ranks = sorted(0 if rank is None else rank for rank in map(rank_of, paths))
    num_ranks = len(parts)
    flags = [f"{num_ranks} rank files are added"]
    has_rate = all(part.has_rate for part in parts)
    first = ranks[0] if ranks[0] in (0, 1) else 0
    missing = sorted(set(range(first, ranks[-1] + 1)) - set(ranks))
    if missing:
        flags.append(f"rank {', '.join(map(str, missing))} is missing: no rate is made")
        has_rate = False
    longest = max(parts, key=lambda part: part.duration_s)
    total = with_energies_of(parts, longest)
    num_gpus = sum(part.num_gpus for part in parts)
    machine = [part for part in parts if part.scope == "machine"]
    if len(machine) > 1 and all(part.num_gpus == num_ranks for part in machine):
        flags[0] = (
            f"each of {num_ranks} rank files lists {num_ranks} GPUs in machine mode, so each may "
            "hold the whole machine: the largest is shown, and no rate is made"
        )
        largest = max(parts, key=lambda part: part.energy_kwh)
        total, num_gpus, has_rate = with_energies_of([largest], longest), num_ranks, False
    elif len(machine) > 1 and any(part.cpu_kwh or part.ram_kwh for part in machine):
        flags.append(
            "in machine mode each file holds its whole machine's CPU and RAM: on one machine they "
            f"are counted {num_ranks} times"
        )
    said = dict.fromkeys(flag for part in parts for flag in part.flags)
    return replace(total, num_gpus=num_gpus, has_rate=has_rate, flags=(*said, *flags))


def _overlap(one: Logged, other: Logged) -> bool:
    if None in (one.start_s, one.end_s, other.start_s, other.end_s):
        return True  # without time stamps the numbers alone say it
    start = max(one.start_s or 0.0, other.start_s or 0.0)
    end = min(one.end_s or 0.0, other.end_s or 0.0)
    return end - start >= SHARED_FROM * min(one.duration_s, other.duration_s)
