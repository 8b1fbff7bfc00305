"""Claims that networks stand in one order: as printed, and on other hardware."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.claims.claim import Claim, Part, above, of_parts
from analysis.estimates.measured import Measured
from analysis.estimates.order import SAME_ORDER, SURELY_SAME, Rank, rank
from analysis.estimates.same_sweep import best_common
from analysis.estimates.studies import AXES
from analysis.independent.sets import LEAST_COMMON, all_sets, one_a_network
from analysis.published import facts as published
from analysis.records.collection import apart
from metering.setup import hardware_key, study_key

LEAST_NETWORKS = 3
MACHINE = tuple(name for name in AXES["device"] if name != "num_workers")
"""What another machine changes; a number of workers that was asked for is a set-up of its own."""
LIMIT = f"limit {SAME_ORDER}; power: the chance to show a true {SURELY_SAME} with so many networks"


def as_printed(measured: Sequence[Measured]) -> Claim:
    """The order of the printed test kWh, of networks that were tested here in one set-up."""
    printed = published.wide(published.IMAGENET).set_index("model")["test_kwh"]
    parts: list[Part] = []
    for group in _compared(measured):
        rates = {row.name: row.test_rate.kwh_per_sample for row in group if row.test_rate}
        found_on = group[0]
        ours = pd.Series(rates, dtype=float)
        common = [name for name in ours.index if pd.notna(printed.get(name))]
        if len(one_a_network(common)) < LEAST_COMMON:
            continue
        agreement = rank(printed, ours, one_a_network)
        asked = found_on.setup.asked
        words = (
            f"{found_on.device}, batch {asked.batch_size}, {asked.precision}, "
            f"{found_on.shared_variant}: "
            f"{_words(agreement)} with the printed test kWh"
        )
        parts.append((words, above(agreement.low, agreement.high, SAME_ORDER)))
    limit = f"{LIMIT}; other people's machines reach {_elsewhere()}"
    return of_parts("Table 3", "networks rank by electricity as printed", parts, limit)


def _compared(measured: Sequence[Measured]) -> list[list[Measured]]:
    """Classification on ImageNet-1k whose runs compare, one row a model."""
    groups: dict[str, dict[str, Measured]] = {}
    for row in measured:
        if row.task == "classification" and row.dataset == published.IMAGENET:
            groups.setdefault(row.comparison_key, {}).setdefault(row.name, row)
    return [list(group.values()) for group in groups.values()]


def _elsewhere() -> str:
    """The same correlation on other people's machines."""
    printed = published.wide(published.IMAGENET).set_index("model")["test_kwh"]
    rhos = [
        rank(printed, other.values, one_a_network).rho
        for other in all_sets()
        if other.phase == "test"
    ]
    return f"{min(rhos):.2f} to {max(rhos):.2f}"


def on_other_hardware(measured: Sequence[Measured]) -> Claim:
    """Training on two devices, of networks that were trained alike on both."""
    on: dict[str, tuple[str, dict[str, Measured]]] = {}
    for row in measured:
        if row.task != "classification" or _train_key(row) is None or row.setup.found is None:
            continue
        machine = apart(hardware_key(row.setup), row.collection) + str(row.setup.asked.num_threads)
        _, rows = on.setdefault(machine, (row.device, {}))
        rows.setdefault(study_key(row.setup, MACHINE), row)
    parts: list[Part] = []
    machines = list(on.values())
    for number, (name, rows) in enumerate(machines):
        for other_name, others in machines[number + 1 :]:
            both = _of_both(rows, others)
            if len(both) < LEAST_NETWORKS:
                continue
            agreement = rank(both["first"], both["second"])
            ratio = both["first"] / both["second"]
            words = (
                f"{name} and {other_name}: {_words(agreement)}, {ratio.min():.2f} to "
                f"{ratio.max():.2f} x the electricity"
            )
            parts.append((words, above(agreement.low, agreement.high, SAME_ORDER)))
    return of_parts(
        "A.2, Figure 5", "the order of networks is the same on other hardware", parts, LIMIT
    )


def _train_key(row: Measured) -> tuple[str, str] | None:
    """Stage and phase of `row.train_rate`."""
    return next((key for key, rate in row.rates.items() if rate is row.train_rate), None)


def _of_both(rows: Mapping[str, Measured], others: Mapping[str, Measured]) -> pd.DataFrame:
    """kWh an image on two machines, one set-up a network; of one sweep where both are the same
    machine otherwise set."""
    rates: dict[str, tuple[float, float]] = {}
    for key in rows.keys() & others.keys():
        one, other, of_both = rows[key], others[key], _train_key(rows[key])
        if of_both is not None and of_both in other.rates:
            first, second = best_common(one, other, of_both)
            rates[key] = first.kwh_per_sample, second.kwh_per_sample
    both = pd.DataFrame.from_dict(
        {key: rates[key] for key in rows if key in rates},
        orient="index",
        columns=["first", "second"],
    )
    return both[~both.index.map(lambda key: rows[key].setup.asked.model).duplicated()]


def _words(agreement: Rank) -> str:
    interval = (
        "no interval"
        if math.isnan(agreement.low)
        else f"95 % {agreement.low:.2f} to {agreement.high:.2f}"
    )
    return (
        f"{agreement.n} networks, rank correlation {agreement.rho:.2f} ({interval}, power "
        f"{agreement.power:.0%})"
    )
