"""One run beside what other people measured of its network."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.independent.facts import PHASES
from analysis.independent.sets import LEAST_COMMON
from analysis.named_folders import DEFAULT_FOLDERS
from analysis.published import facts as published
from analysis.records.load import load
from analysis.show.find import Named
from analysis.tables.independent import (
    checks_of,
    checks_of_published,
    of_set,
    rate_of,
    ratio_to_set,
)
from analysis.tables.numbers import plain


def lines_of(run: Named) -> Iterator[str]:
    """The paper's number and this run's beside others'. A check of ours needs five networks of one
    set-up: they are looked for where records lie by default."""
    measured = run.measured
    if measured is None or measured.dataset != published.IMAGENET:
        return
    if measured.tier == "small":
        yield "not checked against independent numbers: those are of the recipe's input size"
        return
    phases = [phase for phase in PHASES if rate_of(measured, phase) is not None]
    rows = _neighbours(run, measured)
    ours = checks_of(rows)
    for phase in phases:
        yield from _raw_ratio(measured, phase)
        if check := checks_of_published().get((measured.name, phase)):
            yield (
                f"{phase}: the paper's number beside independent ones ({check.scopes}): "
                f"{check.said}"
            )
        if check := ours.get((measured.name, phase)):
            yield (
                f"{phase}: this set-up's number beside independent ones ({check.scopes}): "
                f"{check.said}"
            )
    if phases and not ours:
        others = len({row.name for row in rows}) - 1
        yield (
            f"this set-up's numbers are not checked beside independent ones: that needs "
            f"{LEAST_COMMON} networks that others measured too, and {others} more of this set-up "
            f"{'is' if others == 1 else 'are'} in {' or '.join(DEFAULT_FOLDERS)}"
        )


def _raw_ratio(measured: Measured, phase: str) -> Iterator[str]:
    theirs = of_set(measured.name, phase)
    if theirs is None:
        return
    others = (
        f"{phase}: others measured {plain(theirs.j_per_sample)} J a sample ({theirs.scope}, "
        f"{theirs.hardware}, batch 32, fp32)"
    )
    ratio = ratio_to_set(measured, measured.name, phase)
    if ratio is None:
        yield f"{others}; no GPU was read here"
    else:
        asked = measured.setup.asked
        yield (
            f"{others}; the GPU alone takes {plain(ratio)} x that here (batch {asked.batch_size}, "
            f"{asked.precision}): another board, so no error by itself"
        )


def _neighbours(run: Named, measured: Measured) -> list[Measured]:
    """The run, and rows of the default folders that compare with it."""
    known = load(DEFAULT_FOLDERS).frame
    others = known[~known["run_id"].isin(set(run.frame["run_id"]))]
    whole = pd.concat([run.frame, others], ignore_index=True) if len(others) else run.frame
    rows = [row for row in merge(whole) if row.comparison_key == measured.comparison_key]
    return [row for row in rows if row.name != measured.name] + [measured]
