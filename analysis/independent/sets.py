"""Sets of independent numbers that belong together: one source, phase, hardware and scope.

Within a set the ratio of two networks means something; between sets only orders and ratios are
compared, never joules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

from analysis.independent import facts
from analysis.published import facts as published

Quantity = Literal["energy", "time"]
LEAST_COMMON = 5
"""Fewer networks in common give no median to normalise by."""
_OF_STREP = "strep"  # its batch size is chosen per network: one set all the same


@dataclass(frozen=True)
class IndependentSet:
    """name: for tables; quantity: joules or seconds per image; runs: sets with the same word were
    read from the same runs (a sensor and a wall meter) and count once; values: row of Table 3 ->
    number per image."""

    name: str
    phase: str
    quantity: Quantity
    scope: str
    hardware: str
    source: str
    runs: str
    values: pd.Series

    @property
    def is_on_gpu(self) -> bool:
        return not self.hardware.startswith("CPU")


@cache
def network_of() -> dict[str, str]:
    """Row of Table 3 -> the network whose step it is: pre-training does not change a step, nor
    does a window's size change what the paper printed for one."""
    frame = published.facts()
    built = frame[frame["quantity"] == "params_m_built"]
    names = built["locator"].str.split("_window").str[0]
    return dict(zip(built["model"], names, strict=True))


def one_a_network(rows: Iterable[str]) -> list[str]:
    """The first row of each network, in order; a row that is not the paper's stands for itself."""
    networks = network_of()
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(networks.get(row, row), row)
    return list(first.values())


def energy_sets(
    energy: pd.DataFrame | None = None, uses: Iterable[str] = facts.USES
) -> list[IndependentSet]:
    """Sets of joules per image; `energy` is `facts.energy()` or `own_file.with_files(...)`."""
    frame = facts.energy() if energy is None else energy
    frame = frame[frame["use"].isin(list(uses))]
    of_strep = (frame["source"] == _OF_STREP) & (frame["file"] == "")
    frame = frame.assign(batch=frame["batch_size"].where(~of_strep))
    keys = ["source", "phase", "hardware", "framework", "scope", "batch", "precision", "num_gpus",
            "file"]  # fmt: skip
    sets = []
    for key, group in frame.groupby(keys, sort=False, dropna=False):
        source, phase, hardware, framework, scope, batch, precision, num_gpus, file = key
        values = group.drop_duplicates("row").set_index("row")["j_per_sample"]
        size = "" if pd.isna(batch) else f"batch {batch:.0f}"
        words = [hardware, framework.split(" ")[0], size]
        if file:  # a user's set is told from others by all that sets it apart
            many = "" if num_gpus == 1 else f"on {num_gpus:g} GPUs"
            words = [hardware, many, framework, size, precision]
        where = " ".join(filter(None, words))
        name = f"{where}, {scope}" + (f" ({source})" if file else "")
        runs = f"{source} {phase} {where} {file}"
        sets.append(IndependentSet(name, phase, "energy", scope, hardware, source, runs, values))
    return sets


def throughput_sets() -> list[IndependentSet]:
    """Sets of seconds per image."""
    sets = []
    keys = ["phase", "hardware", "layout", "compiled"]
    for key, group in facts.throughput().groupby(keys, sort=False):
        phase, hardware, layout, compiled = key
        values = 1.0 / group.drop_duplicates("row").set_index("row")["samples_per_s"]
        name = f"{hardware} {layout}" + (" compiled" if compiled == "yes" else "") + ", time"
        sets.append(
            IndependentSet(
                name, phase, "time", "device", hardware, group["source"].iloc[0], name, values
            )
        )
    return sets


def all_sets(energy: pd.DataFrame | None = None) -> list[IndependentSet]:
    """What a cross-check looks at: no rows near idle power, and none of a single network."""
    sets = [*energy_sets(energy, ("yes", "data-bound", "rank")), *throughput_sets()]
    return [
        independent
        for independent in sets
        if len(one_a_network(independent.values.index)) >= LEAST_COMMON
    ]
