"""CycloneDX 1.6: `energyConsumptions` of a machine-learning model (schema/bom-1.6.schema.json).

Energy in kWh, emissions in *tonnes* (`tCO2eq`). The format has no field for what was measured, its
interval or its sensors: they are `properties` of the consumption.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from analysis.export import carbon
from analysis.export.report_facts import Export, PhaseFacts, RunFacts, sensors_text
from analysis.export.site_facts import SiteFacts
from analysis.export.training import name_of, stated, why_no_energy

FILE = "bom.cdx.json"
KG_PER_TONNE = 1000
_SUPPLIER = "energyProviders: who supplies the electricity (give supplier in --facts)"


def export(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
    """One bill of materials, a component a run."""
    left_out: dict[str, None] = {}
    components = [_component(run, site, left_out) for run in runs]
    left_out |= dict.fromkeys(carbon.missing(runs, site))
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": components,
    }
    return Export({FILE: json.dumps(document, indent=1) + "\n"}, tuple(left_out))


def _component(run: RunFacts, site: SiteFacts, left_out: dict[str, None]) -> dict[str, Any]:
    consumptions = []
    for phase in run.phases:
        consumption = _consumption(run, phase, site, left_out)
        if consumption is not None:
            consumptions.append(consumption)
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"run-{run.run_id}",
        "name": name_of(run, site.model.name),
    }
    if site.model.version is not None:
        component["version"] = site.model.version
    else:
        left_out["version of the model (give model.version in --facts)"] = None
    environment = {"energyConsumptions": consumptions}
    considerations = {"environmentalConsiderations": environment}
    return component | {"modelCard": {"considerations": considerations}}


def _consumption(
    run: RunFacts, phase: PhaseFacts, site: SiteFacts, left_out: dict[str, None]
) -> dict[str, Any] | None:
    energy = stated(run, phase)
    if energy is None:
        reasons = filter(None, (why_no_energy(phase), carbon.fault_of(phase)))
        left_out |= {f"{why} ({run.model}, {run.run_id[:8]})": None for why in reasons}
        return None
    consumption: dict[str, Any] = {
        "activity": _activity(run, phase),
        "energyProviders": [],
        "activityEnergyCost": {"value": energy.kwh, "unit": "kWh"},
    }
    if site.supplier is not None:
        consumption["energyProviders"] = [
            {
                "organization": {"name": site.supplier.name},
                "energySource": site.supplier.energy_source,
                "energyProvided": {"value": energy.kwh, "unit": "kWh"},
            }
        ]
    else:
        left_out[_SUPPLIER] = None
    kg = carbon.emitted_kg(energy.kwh, run, site)
    if kg is not None:
        consumption["co2CostEquivalent"] = {"value": kg / KG_PER_TONNE, "unit": "tCO2eq"}
    properties = _properties(run, phase, energy.scope, energy.half_width_kwh, energy.words)
    if kg is not None:
        properties["carbon_factor_source"] = carbon.factor_source(run, site)
    if site.pue is not None:
        properties["pue_not_applied"] = f"{site.pue:g}"
    consumption["properties"] = [
        {"name": f"watt-for-what:{name}", "value": value} for name, value in properties.items()
    ]
    return consumption


def _activity(run: RunFacts, phase: PhaseFacts) -> str:
    if phase.phase == "test":
        return "inference"
    return "fine-tuning" if run.stage == "finetune" else "training"


def _properties(
    run: RunFacts, phase: PhaseFacts, scope: str, half_width_kwh: float | None, words: str
) -> dict[str, str]:
    confidence = phase.confidence
    properties = {
        "scope": scope,
        "basis": words,
        "half_width_kwh": None if half_width_kwh is None else f"{half_width_kwh:.6g}",
        "confidence": None if half_width_kwh is None or confidence is None else f"{confidence:g}",
        "measured_samples": f"{phase.num_samples}" if phase.num_samples else None,
        "measured_duration_s": f"{phase.duration_s:.6g}",
        "measured_kwh": None if phase.energy_kwh is None else f"{phase.energy_kwh:.6g}",
        "kwh_per_sample": None if phase.kwh_per_sample is None else f"{phase.kwh_per_sample:.6g}",
        "sensors": sensors_text(phase.sensors) or None,
        "energy_of": run.scope,
        "reader": run.reader,
        "hardware": run.devices,
        "flags": "; ".join(phase.flags) or None,
    }
    return {name: value for name, value in properties.items() if value is not None}
