"""`co2_eq_emissions` of a model card: grams, and nothing else of the card is touched."""

from __future__ import annotations

import pytest
import yaml

from analysis.errors import AnalysisError
from analysis.export.huggingface import emissions, export
from analysis.export.site_facts import SiteFacts
from metering.emissions import emission_factor
from tests.analysis.export.sample_runs import a_run, a_site


def test_emissions_are_grams() -> None:
    values, _ = emissions([a_run(projection=None)], SiteFacts())
    assert values["emissions"] == pytest.approx(7.2452e-05 * 0.237589 * 1000)
    assert "measured window" in values["source"]
    values, _ = emissions([a_run()], SiteFacts())
    assert values["emissions"] == pytest.approx(316.4 * 237.589)
    assert "projected recipe (300 epochs): 316.4 ± 16 kWh" in values["source"]


def test_the_sites_factor_and_place_count_before_the_countrys() -> None:
    values, left_out = emissions([a_run()], a_site())
    assert values["emissions"] == pytest.approx(316.4 * 50)
    assert values["geographical_location"] == "Rennes, France"
    assert values["hardware_used"] == "AMD EPYC"
    assert values["training_type"] == "pre-training"
    assert left_out == ()


def test_a_country_of_the_site_has_its_own_factor_and_says_so() -> None:
    values, _ = emissions([a_run(projection=None)], SiteFacts(country="FRA"))
    factor = emission_factor("FRA")
    assert factor is not None
    assert values["emissions"] == pytest.approx(7.2452e-05 * factor["kg_co2eq_per_kwh"] * 1000)
    assert "CodeCarbon, global_energy_mix.json, 2" in values["source"]
    assert values["geographical_location"] == "FRA"


def test_a_country_that_nobody_named_is_no_place_and_gives_no_emissions() -> None:
    unsaid = a_run(country_iso_code=None, kg_co2eq_per_kwh=None)
    with pytest.raises(AnalysisError, match="nobody said in which country the machine stands"):
        emissions([unsaid], SiteFacts())
    values, _ = emissions([unsaid], SiteFacts(location="Bern", carbon_intensity_g_per_kwh=30))
    assert values["geographical_location"] == "Bern"


def test_the_block_is_yaml() -> None:
    [text] = export([a_run()], SiteFacts()).files.values()
    assert yaml.safe_load(text)["co2_eq_emissions"]["emissions"] > 0


def test_without_a_factor_nothing_is_invented() -> None:
    with pytest.raises(AnalysisError, match="carbon_intensity_g_per_kwh"):
        emissions([a_run(kg_co2eq_per_kwh=None)], SiteFacts())
    with pytest.raises(AnalysisError, match="one training"):
        emissions([a_run(), a_run()], SiteFacts())
