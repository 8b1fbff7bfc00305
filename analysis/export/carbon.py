"""kg CO2eq of an energy, and which factor it takes: the site's, else the country's."""

from __future__ import annotations

from analysis.export.report_facts import PhaseFacts, RunFacts
from analysis.export.site_facts import SiteFacts
from analysis.records.codecarbon.energy_faults import energy_fault
from analysis.records.emission_factor import is_possible

NO_FACTOR = (
    "carbon: no factor is known, or one that no supply has (give carbon_intensity_g_per_kwh in "
    "--facts)"
)


def factor_kg_per_kwh(run: RunFacts, site: SiteFacts) -> float | None:
    """kg CO2eq per kWh; None where neither the site nor the record knows one, or the
    record's is one that no supply of electricity has."""
    if site.carbon_intensity_g_per_kwh is not None:
        return site.carbon_intensity_g_per_kwh / 1000
    if site.country is not None and site.country != run.country_iso_code:
        return None  # the record's factor is another country's
    factor = run.kg_co2eq_per_kwh
    return factor if factor is not None and is_possible(factor) else None


def factor_source(run: RunFacts, site: SiteFacts) -> str:
    """Who says so."""
    if site.carbon_intensity_g_per_kwh is not None:
        return site.carbon_intensity_source or "the site's own facts"
    return run.factor_source or "unknown"


def emitted_kg(kwh: float | None, run: RunFacts, site: SiteFacts) -> float | None:
    """kg CO2eq of `kwh`, without the data centre's overhead."""
    factor = factor_kg_per_kwh(run, site)
    return None if kwh is None or factor is None else kwh * factor


def fault_of(phase: PhaseFacts) -> str | None:
    """Why no emissions can be made of the phase's energy; None where they can."""
    fault = energy_fault(phase.flags)
    return None if fault is None else f"emissions of the {phase.phase} phase: {fault}"
