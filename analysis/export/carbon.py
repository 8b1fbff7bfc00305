"""kg CO2eq of an energy, and which factor it takes: the site's, else that of the country that the
site or the record names. A country that nobody named has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.export.report_facts import PhaseFacts, RunFacts, short_ids
from analysis.export.site_facts import SiteFacts
from analysis.records.codecarbon.energy_faults import energy_fault
from analysis.records.emission_factor import is_possible
from metering.emissions import emission_factor

NO_FACTOR = (
    "carbon: nobody said in which country the machine stands, or its factor is not known (give "
    "country or carbon_intensity_g_per_kwh in --facts)"
)


def factor_kg_per_kwh(run: RunFacts, site: SiteFacts) -> float | None:
    """kg CO2eq per kWh; None where neither the site nor the record knows one, or it is one that
    no supply of electricity has."""
    if site.carbon_intensity_g_per_kwh is not None:
        return site.carbon_intensity_g_per_kwh / 1000
    factor = run.kg_co2eq_per_kwh
    if _is_of_site(run, site):
        factor = (_of_country(site.country) or {}).get("kg_co2eq_per_kwh")
    return factor if factor is not None and is_possible(factor) else None


def missing(runs: Sequence[RunFacts], site: SiteFacts) -> list[str]:
    """What is left out where no factor is known, run by run if it is of some alone."""
    lacking = [run for run in runs if factor_kg_per_kwh(run, site) is None]
    if len(lacking) == len(runs):
        return [NO_FACTOR] if runs else []
    ids = short_ids(runs)
    reason = NO_FACTOR.removeprefix("carbon: ")
    return [f"carbon of {run.model} ({ids[run.run_id]}): {reason}" for run in lacking]


def factor_source(run: RunFacts, site: SiteFacts) -> str:
    """Who says so."""
    if site.carbon_intensity_g_per_kwh is not None:
        return site.carbon_intensity_source or "the site's own facts"
    if _is_of_site(run, site) and (factor := _of_country(site.country)) is not None:
        return f"{factor['source']}, {factor['year']}, {site.country}"
    return run.factor_source or "unknown"


def _is_of_site(run: RunFacts, site: SiteFacts) -> bool:
    """Whether the country that counts is the site's and not the record's."""
    return site.country is not None and site.country != run.country_iso_code


def _of_country(country_iso_code: str | None) -> dict[str, Any] | None:
    """CodeCarbon's factor; None where its table is not installed."""
    try:
        return emission_factor(country_iso_code)
    except ModuleNotFoundError:
        return None


def emitted_kg(kwh: float | None, run: RunFacts, site: SiteFacts) -> float | None:
    """kg CO2eq of `kwh`, without the data centre's overhead."""
    factor = factor_kg_per_kwh(run, site)
    return None if kwh is None or factor is None else kwh * factor


def fault_of(phase: PhaseFacts) -> str | None:
    """Why no emissions can be made of the phase's energy; None where they can."""
    fault = energy_fault(phase.flags)
    return None if fault is None else f"emissions of the {phase.phase} phase: {fault}"
