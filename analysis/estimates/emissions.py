"""kg CO2eq of a kWh, as the runs of a row have it, and whose electricity that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.estimates.run import Run
from analysis.records.emission_factor import is_possible

IMPOSSIBLE = "no kg CO2eq: {factor:.4g} g a kWh is no supply's factor (0.5 to 1,500)"
SEVERAL = "its runs have factors of several countries or years: their mean, weighted by energy"


@dataclass(frozen=True)
class Factor:
    """kg_per_kwh: None where none is known, or one that no supply has; note: whose it is, or why
    there is none."""

    kg_per_kwh: float | None = None
    note: str = ""


NO_FACTOR = Factor()


def factor_of(runs: Sequence[Run]) -> Factor:
    """Of all runs that have emissions, weighted by energy. runs: repetitions, oldest first."""
    known = [run for run in runs if run["emissions_kg_co2eq"] is not None and run["energy_kwh"]]
    if not known:
        return NO_FACTOR
    factors = [run["emissions_kg_co2eq"] / run["energy_kwh"] for run in known]
    impossible = [factor for factor in factors if not is_possible(factor)]
    if impossible:
        return Factor(note=IMPOSSIBLE.format(factor=1000 * impossible[0]))
    mean = sum(run["emissions_kg_co2eq"] for run in known) / sum(run["energy_kwh"] for run in known)
    countries = list(dict.fromkeys(run["country"] for run in known if run["country"]))
    sources = [", ".join([f"{1000 * mean:.3g} g CO2eq a kWh", *countries])]
    if max(factors) - min(factors) > 1e-6 * mean:
        sources.append(SEVERAL)
    return Factor(mean, "; ".join(sources))
