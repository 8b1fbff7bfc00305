"""Software Carbon Intensity for AI: the operational part, and the score only where the embodied
part is known (Green-Software-Foundation/sci-ai, on ISO/IEC 21031:2024).

SCI = C / R, C operational + embodied kg CO2eq. Consumer (one inference) and Provider (per billion
parameters, or per FLOP, of the training) are two scores and never added.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from analysis.export import carbon
from analysis.export.report_facts import Export, PhaseFacts, RunFacts, interval_text, sensors_text
from analysis.export.site_facts import SiteFacts
from analysis.export.training import name_of

FILE = "sci-ai.json"
SECONDS_PER_YEAR = 365.25 * 24 * 3600
FLOP_PER_MAC = 2
TRAIN_PER_FORWARD = 3
"""A training step's forward and backward pass, in forward passes (Kaplan 2020, section 2.1)."""
NO_EMBODIED = "embodied carbon: without it there is no SCI (give embodied in --facts)"


def export(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
    """A list of scores, each with its boundary."""
    left_out: dict[str, None] = {}
    scores: list[dict[str, Any]] = []
    for run in runs:
        if (test := run.phase("test")) is not None:
            scores += _consumer(run, test, site, left_out)
        if (train := run.phase("train")) is not None:
            scores += _provider(run, train, site, left_out)
    left_out |= dict.fromkeys(carbon.missing(runs, site))
    document = {"standard": "SCI for AI, draft on ISO/IEC 21031:2024", "scores": scores}
    return Export({FILE: json.dumps(document, indent=1) + "\n"}, tuple(left_out))


def _consumer(
    run: RunFacts, test: PhaseFacts, site: SiteFacts, left_out: dict[str, None]
) -> list[dict[str, Any]]:
    factor = carbon.factor_kg_per_kwh(run, site)
    if test.kwh_per_sample is None:
        left_out[f"consumer: the test phase of {run.model} has no rate"] = None
    if factor is None or test.kwh_per_sample is None:
        return []
    embodied = None
    if test.s_per_sample is not None:
        embodied = _embodied_g(run, test.s_per_sample, site, left_out)
    score = _score(
        run,
        site,
        "consumer",
        f"inference of one {run.sample}",
        test.kwh_per_sample,
        factor,
        embodied,
    )
    score["measured_as"] = "measured window"
    score["energy"] = interval_text(test.kwh_per_sample, test.kwh_half_width, "kWh per unit")
    score["sensors"] = sensors_text(test.sensors)
    score["flags"] = list(test.flags)
    return [score]


def _provider(
    run: RunFacts, train: PhaseFacts, site: SiteFacts, left_out: dict[str, None]
) -> list[dict[str, Any]]:
    """Per billion parameters and per FLOP of the whole training, gross of everything in it."""
    factor = carbon.factor_kg_per_kwh(run, site)
    whole = run.projection
    if whole is None:
        why = "; ".join(run.projection_missing) or "its recipe is not projected"
        left_out[f"provider: {why}"] = None
    if whole is None or factor is None:
        return []
    seconds = None if whole.device_hours is None else whole.device_hours * 3600 / run.num_devices
    total_g = None if seconds is None else _embodied_g(run, seconds, site, left_out)
    scores = []
    for unit, amount in _units(run).items():
        embodied = None if total_g is None else total_g / amount
        score = _score(run, site, "provider", unit, whole.kwh / amount, factor, embodied)
        score["measured_as"] = "projected recipe"
        score["energy"] = interval_text(whole.kwh, whole.half_width_kwh, "kWh, whole recipe")
        score["flags"] = list(train.flags)
        score["note"] += (
            "; training alone: data, design and deployment, stopped and intermediate runs are not "
            "in it"
        )
        scores.append(score)
    if not scores:
        left_out["provider: neither parameters nor FLOPs are known"] = None
    return scores


def _units(run: RunFacts) -> dict[str, float]:
    units = {}
    if run.params_m:
        units["billion parameters"] = run.params_m / 1000
    flop = train_flop(run)
    if flop:
        units["10^18 FLOP of training"] = flop / 1e18
    return units


def train_flop(run: RunFacts) -> float | None:
    """Of the whole recipe: 2 FLOP a MAC, three forward passes a step."""
    samples = run.projection.train_samples if run.projection else None
    if run.gmacs is None or samples is None:
        return None
    return FLOP_PER_MAC * TRAIN_PER_FORWARD * run.gmacs * 1e9 * samples


def _score(
    run: RunFacts,
    site: SiteFacts,
    boundary: str,
    unit: str,
    kwh: float,
    factor: float,
    embodied_g: float | None,
) -> dict[str, Any]:
    pue = site.pue or 1.0
    operational = kwh * pue * factor * 1000
    outside = "PUE is in it" if site.pue else "data centre overhead (PUE)"
    not_in_it = ["network", "storage", "monitoring"] + ([] if site.pue else [outside])
    return {
        "model": name_of(run, site.model.name),
        "boundary": boundary,
        "functional_unit": unit,
        "operational_g_per_unit": operational,
        "embodied_g_per_unit": embodied_g,
        "sci_g_per_unit": None if embodied_g is None else operational + embodied_g,
        "carbon_g_per_kwh": factor * 1000,
        "carbon_source": carbon.factor_source(run, site),
        "pue": site.pue,
        "hardware": run.devices,
        "reader": run.reader,
        "not_in_it": not_in_it,
        "note": "operational alone is not an SCI" if embodied_g is None else _embodied_note(site),
    }


def _embodied_note(site: SiteFacts) -> str:
    own = site.embodied
    if own is None:
        return ""
    full = "; its utilisation is not said and taken as 1" if own.utilisation is None else ""
    return f"embodied: {own.source}{full}"


def _embodied_g(
    run: RunFacts, seconds: float, site: SiteFacts, left_out: dict[str, None]
) -> float | None:
    """The share of the hardware's making that `seconds` of the run's devices take, g CO2eq."""
    own = site.embodied
    if own is None:
        left_out[NO_EMBODIED] = None
        return None
    life_s = own.lifetime_years * SECONDS_PER_YEAR * (own.utilisation or 1.0)
    return own.kg_co2eq_per_device * 1000 * run.num_devices * seconds / life_s
