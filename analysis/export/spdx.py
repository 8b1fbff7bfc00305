"""SPDX 3.0.1: `ai_EnergyConsumption` of an AI package (v3.0.1/rdf/schema.json and model text).

Quantities are plain decimals in kilowatt-hours. The format has neither emissions nor interval nor
hardware: the package's comment says what its numbers are.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from analysis.errors import AnalysisError
from analysis.export.report_facts import Export, PhaseFacts, RunFacts, sensors_text
from analysis.export.site_facts import SiteFacts
from analysis.export.training import Stated, name_of, stated, why_no_energy

FILE = "ai.spdx.json"
CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:watt-for-what")
_INFO = "_:creation"
_WANTED = {
    "software_packageVersion": ("version", "model.version"),
    "software_downloadLocation": ("download_location", "model.download_location"),
    "releaseTime": ("release_time", "model.release_time"),
}


def export(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
    """One document, a package a run."""
    left_out: dict[str, None] = {}
    supplier = _supplier(site, left_out)
    packages = [_package(run, site, supplier, left_out) for run in runs]
    tool = _element("SoftwareAgent", "tool", "watt-for-what")
    info = {
        "type": "CreationInfo",
        "@id": _INFO,
        "specVersion": "3.0.1",
        "created": _created(runs),
        "createdBy": [tool["spdxId"]],
    }
    document = _element("SpdxDocument", "/".join(run.run_id for run in runs), "Energy of models")
    document |= {
        "profileConformance": ["core", "software", "ai"],
        "rootElement": [package["spdxId"] for package in packages],
    }
    agents = [tool] if supplier is None else [tool, supplier]
    graph = {"@context": CONTEXT, "@graph": [info, document, *agents, *packages]}
    return Export({FILE: json.dumps(graph, indent=1) + "\n"}, tuple(left_out))


def _created(runs: Sequence[RunFacts]) -> str:
    """When the last run ended, so that the same runs make the same document; now, where a log's
    times are of another form than ISO 8601."""
    stamps = [stamp for run in runs if (stamp := _utc(run.ended_at)) is not None]
    return max(stamps) if stamps else f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _supplier(site: SiteFacts, left_out: dict[str, None]) -> dict[str, Any] | None:
    if site.publisher is None:
        left_out["suppliedBy (give publisher in --facts)"] = None
        return None
    return _element("Organization", site.publisher.name, site.publisher.name)


def _element(kind: str, key: str, name: str) -> dict[str, Any]:
    identity = uuid.uuid5(_NAMESPACE, f"{kind}/{key}")
    return {
        "type": kind,
        "spdxId": f"urn:uuid:{identity}",
        "creationInfo": _INFO,
        "name": name,
    }


def _package(
    run: RunFacts,
    site: SiteFacts,
    supplier: dict[str, Any] | None,
    left_out: dict[str, None],
) -> dict[str, Any]:
    package = _element("ai_AIPackage", run.run_id, name_of(run, site.model.name))
    package["software_primaryPurpose"] = "model"
    if supplier is not None:
        package["suppliedBy"] = supplier["spdxId"]
    for key, (name, where) in _WANTED.items():
        value = getattr(site.model, name)
        if value is None:
            left_out[f"{key} (give {where} in --facts)"] = None
        else:
            package[key] = _release_time(value) if key == "releaseTime" else value
    lists: dict[str, list[dict[str, Any]]] = {}
    comments = []
    for phase in run.phases:
        energy = stated(run, phase)
        if energy is None:
            left_out[f"{why_no_energy(phase)} ({run.model}, {run.run_id[:8]})"] = None
            continue
        lists.setdefault(_list_of(run, phase), []).append(_description(energy))
        comments.append(_comment(run, phase, energy))
    if lists:
        package["ai_energyConsumption"] = {"type": "ai_EnergyConsumption", **lists}
    package["comment"] = " | ".join(comments)
    return package


def _list_of(run: RunFacts, phase: PhaseFacts) -> str:
    if phase.phase == "test":
        return "ai_inferenceEnergyConsumption"
    kind = "finetuning" if run.stage == "finetune" else "training"
    return f"ai_{kind}EnergyConsumption"


def _description(energy: Stated) -> dict[str, str]:
    return {
        "type": "ai_EnergyConsumptionDescription",
        "ai_energyQuantity": plain_decimal(energy.kwh),
        "ai_energyUnit": "kilowattHour",
    }


def _comment(run: RunFacts, phase: PhaseFacts, energy: Stated) -> str:
    parts = [f"{phase.phase}: {energy.words}"]
    if phase.kwh_per_sample is not None:
        parts.append(f"{phase.kwh_per_sample:.4g} kWh per {run.sample}")
    if phase.sensors:
        parts.append(f"read by {sensors_text(phase.sensors)}")
    parts.append(f"{run.reader}, {run.scope} scope, {run.devices}")
    return "; ".join((*parts, *phase.flags))


def plain_decimal(value: float) -> str:
    """`7.2e-05` as `0.000072`: SPDX refuses an exponent."""
    return f"{Decimal(repr(value)):f}"


def _release_time(stated: str) -> str:
    stamp = _utc(stated)
    if stamp is None or datetime.fromisoformat(stated).tzinfo is None:
        raise AnalysisError(
            f"--facts: model.release_time: {stated!r} is no time with a zone; write "
            "2026-11-23T22:20:39+00:00"
        )
    return stamp


def _utc(stamp: str) -> str | None:
    """`2026-11-23T22:20:39Z`, as SPDX wants it; None where it is no time."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
