"""Which rows compete with each other, in ranks and for the Pareto front.

Rows of one comparison key and data set whose device was read by a sensor, whose electricity has an
interval narrower than itself, one row a model. A modelled number never competes, and a number
without an interval would count as exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.estimates.choice import on_front
from analysis.estimates.measured import Measured
from analysis.estimates.tiers import READ
from analysis.records.confidence import Z_95

OTHER_SET_UP = "another set-up of this model is the one that is ranked"
NUM_DRAWS = 1_000
NO_INTERVAL = "no rank, and on no front: its electricity has no interval"


@dataclass(frozen=True)
class Competitions:
    """groups: places in the sequence of rows, of those that compete with each other; notes: place
    -> why a row that a sensor read competes with none."""

    groups: tuple[tuple[int, ...], ...]
    notes: dict[int, str] = field(default_factory=dict)


def competitions(
    rows: Sequence[Measured],
    kwh: Sequence[float | None],
    half_widths: Sequence[float | None],
) -> Competitions:
    """kwh, half_widths: of the whole recipe, with its 95 % interval; None where there is none."""
    groups: dict[tuple[str, str], dict[str, list[int]]] = {}
    notes: dict[int, str] = {}
    for at, (row, total, half_width) in enumerate(zip(rows, kwh, half_widths, strict=True)):
        if row.tier not in READ or total is None:
            continue
        if not half_width:  # one of no width is not known either
            notes[at] = NO_INTERVAL
        elif half_width < total:
            key = row.comparison_key, row.dataset
            groups.setdefault(key, {}).setdefault(row.name, []).append(at)
    chosen = []
    for models in groups.values():
        best = [min(places, key=lambda at: _distance(rows[at])) for places in models.values()]
        others = {at for places in models.values() for at in places} - set(best)
        notes |= dict.fromkeys(others, OTHER_SET_UP)
        chosen.append(tuple(best))
    return Competitions(tuple(chosen), notes)


def _distance(row: Measured) -> tuple[int, int, str]:
    """From the set-up that a model is known by: no options of the user's, then most runs."""
    asked = row.setup.asked
    num_options = len(asked.network_options) + (asked.source_digest is not None)
    return num_options, -len(row.run_ids), row.row_key


@dataclass(frozen=True)
class OnFront:
    """is_on: as the numbers stand; share: of the draws of the electricity, 0..1, in which it is.
    The accuracies stand still: all were tested on the same images."""

    is_on: bool
    share: float


def fronts(
    groups: Sequence[Sequence[int]],
    accuracy_pct: Sequence[float | None],
    kwh: Sequence[float | None],
    half_widths: Sequence[float | None],
    seed: int = 0,
) -> dict[int, OnFront]:
    """Place -> whether the row is on the Pareto front of its group. A front needs two points: a
    lone row is on none, nor is one without an accuracy."""
    on_fronts: dict[int, OnFront] = {}
    generator = np.random.default_rng(seed)
    for group in groups:
        known = [at for at in group if accuracy_pct[at] is not None and kwh[at] is not None]
        known = [at for at in known if not math.isnan(accuracy_pct[at] or 0.0)]
        if len(known) < 2:
            continue
        accuracy, totals, widths = (
            np.array([values[at] for at in known], dtype=float)
            for values in (accuracy_pct, kwh, half_widths)
        )
        drawn = generator.normal(totals, widths / Z_95, size=(NUM_DRAWS, len(known)))
        shares = on_front(np.broadcast_to(accuracy, drawn.shape), drawn).mean(axis=0)
        stands = on_front(accuracy, totals)
        on_fronts |= {
            at: OnFront(bool(is_on), float(share))
            for at, is_on, share in zip(known, stands, shares, strict=True)
        }
    return on_fronts
