"""CycloneDX 1.6, by the validator that cyclonedx-python-lib ships."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis.export.cyclonedx import FILE, export
from analysis.export.report_facts import RunFacts
from analysis.export.site_facts import SiteFacts
from tests.analysis.export.sample_runs import a_run, a_site


def _text(run: RunFacts, site: SiteFacts) -> str:
    text = export([run], site).files[FILE]
    assert isinstance(text, str)
    return text


def _consumptions(run: RunFacts, site: SiteFacts) -> list[dict[str, Any]]:
    [component] = json.loads(_text(run, site))["components"]
    considerations = component["modelCard"]["considerations"]
    consumptions = considerations["environmentalConsiderations"]["energyConsumptions"]
    assert isinstance(consumptions, list)
    return consumptions


def _refusal(text: str) -> object:
    from cyclonedx.schema import SchemaVersion  # its grammars of formats take a second to import
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


@pytest.mark.parametrize("site", [SiteFacts(), a_site()])
def test_the_bill_of_materials_is_valid(site: SiteFacts) -> None:
    text = _text(a_run(), site)
    assert _refusal(text) is None
    broken = json.loads(text)
    consumption = broken["components"][0]["modelCard"]["considerations"]
    del consumption["environmentalConsiderations"]["energyConsumptions"][0]["activityEnergyCost"]
    assert _refusal(json.dumps(broken)) is not None


def test_emissions_are_tonnes_of_the_projected_recipe() -> None:
    train, test = _consumptions(a_run(), SiteFacts())
    assert train["activityEnergyCost"] == {"value": 316.4, "unit": "kWh"}
    assert train["co2CostEquivalent"]["value"] == pytest.approx(316.4 * 0.237589 / 1000)
    assert (train["activity"], test["activity"]) == ("training", "inference")
    assert train["energyProviders"] == []


def test_a_number_says_what_it_is_and_how_it_was_read() -> None:
    train, test = (
        {one["name"].removeprefix("watt-for-what:"): one["value"] for one in part["properties"]}
        for part in _consumptions(a_run(), a_site())
    )
    assert (train["scope"], test["scope"]) == ("projected recipe", "measured window")
    assert train["half_width_kwh"] == "15.8"
    assert test["sensors"] == "GPU absent, CPU rapl, RAM modelled"
    assert train["pue_not_applied"] == "1.2"


def test_what_is_not_known_is_left_out_by_name() -> None:
    left_out = export([a_run(kg_co2eq_per_kwh=None)], SiteFacts()).left_out
    assert any(name.startswith("energyProviders") for name in left_out)
    assert any(name.startswith("carbon") for name in left_out)
    assert export([a_run()], a_site()).left_out == ()


def test_of_some_runs_without_a_factor_each_is_named() -> None:
    unsaid = a_run(run_id="b" * 32, country_iso_code=None, kg_co2eq_per_kwh=None)
    [line] = [one for one in export([a_run(), unsaid], SiteFacts()).left_out if "carbon" in one]
    assert line.startswith("carbon of swin_t (bbbbbbbb): nobody said in which country")
    [line] = [one for one in export([unsaid], SiteFacts()).left_out if "carbon" in one]
    assert line.startswith("carbon: nobody said in which country")
