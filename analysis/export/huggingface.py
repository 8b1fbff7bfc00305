"""Hugging Face's `co2_eq_emissions` of a model card (hub-docs, model-cards-co2): *grams*.

The card has one number and no field for what it is of, its energy or its interval: `source` says
it in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.errors import AnalysisError
from analysis.export import carbon
from analysis.export.card import with_key
from analysis.export.report_facts import Export, RunFacts, sensors_text
from analysis.export.site_facts import SiteFacts
from analysis.export.training import stated

FILE = "co2_eq_emissions.yaml"
KEY = "co2_eq_emissions"
GRAMS_PER_KG = 1000


def export(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
    """The block for one model's front matter."""
    values, left_out = emissions(runs, site)
    return Export({FILE: _yaml({KEY: values})}, left_out)


def emissions(runs: Sequence[RunFacts], site: SiteFacts) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The mapping under `co2_eq_emissions`, and what was left out. Raises `AnalysisError` where
    the runs are not one training, or what it emitted is not known."""
    trained = [
        (run, phase)
        for run in runs
        if run.status == "finished" and (phase := run.phase("train")) is not None
    ]
    if len(trained) != 1:
        raise AnalysisError(
            f"a model card is of one training, and {len(trained)} finished runs with a train phase "
            "are given; name one record"
        )
    [(run, phase)] = trained
    if (fault := carbon.fault_of(phase)) is not None:
        raise AnalysisError(f"left out {fault}; a model card has nothing else")
    energy = stated(run, phase)
    kg = carbon.emitted_kg(energy.kwh if energy else None, run, site)
    if energy is None or kg is None:
        raise AnalysisError(
            "no emissions are known of this run: nobody said in which country the machine stands, "
            "or its factor is not known; give country or carbon_intensity_g_per_kwh in --facts"
        )
    source = [
        f"{run.reader}: {energy.words}",
        f"{1000 * kg / energy.kwh:.4g} g CO2eq per kWh ({carbon.factor_source(run, site)})",
    ]
    if phase.sensors:
        source.append(f"read by {sensors_text(phase.sensors)}")
    source += ["without PUE and embodied carbon", *phase.flags]
    values: dict[str, Any] = {"emissions": kg * GRAMS_PER_KG, "source": "; ".join(source)}
    left_out = []
    if (training := site.model.training_type or _training_type(run)) is not None:
        values["training_type"] = training
    else:
        left_out.append("training_type (give model.training_type in --facts)")
    location = site.location or site.country or run.country_iso_code
    if location is not None:
        values["geographical_location"] = location
    else:
        left_out.append("geographical_location (give location in --facts)")
    values["hardware_used"] = run.devices
    return values, tuple(left_out)


def into_card(card: str, runs: Sequence[RunFacts], site: SiteFacts) -> str:
    """`card` with the block in its front matter, all else byte for byte as it is; a card without
    front matter gets one. Raises `AnalysisError` as `emissions` and `with_key` do."""
    values, _ = emissions(runs, site)
    return with_key(card, KEY, values)


def _training_type(run: RunFacts) -> str | None:
    if run.stage == "finetune":
        return "fine-tuning"
    if not run.has_known_recipe:
        return None  # whether it began at random weights is not said
    return "pre-training" if run.stage in ("supervised", "pretrain", "distill") else None


def _yaml(values: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=10_000)
