"""`co2_eq_emissions` of a model card: grams, and nothing else of the card is touched."""

from __future__ import annotations

import pytest
import yaml

from analysis.errors import AnalysisError
from analysis.export.huggingface import emissions, export, into_card
from analysis.export.site_facts import SiteFacts
from tests.analysis.export.sample_runs import a_run, a_site

CARD = """---
license: apache-2.0   # as it was
tags:
- vision
co2_eq_emissions:
  emissions: 1
  source: old
datasets: [imagenet-1k]
---
# Swin

--- not front matter ---
"""


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


def test_the_block_is_yaml() -> None:
    [text] = export([a_run()], SiteFacts()).files.values()
    assert yaml.safe_load(text)["co2_eq_emissions"]["emissions"] > 0


def test_in_a_card_only_the_block_changes() -> None:
    card = into_card(CARD, [a_run()], SiteFacts())
    front = yaml.safe_load(card.split("---")[1])
    assert front["co2_eq_emissions"]["emissions"] == pytest.approx(316.4 * 237.589)
    assert front["datasets"] == ["imagenet-1k"]
    lines = card.splitlines()
    assert lines[:4] == CARD.splitlines()[:4]
    assert card.endswith(CARD[CARD.index("datasets:") :])
    assert "old" not in card
    assert into_card(card, [a_run()], SiteFacts()) == card  # a second time changes nothing


@pytest.mark.parametrize(
    "card",
    ["", "# No front matter\n", "---\n---\ntext\n", "---\r\nlicense: mit\r\n---\r\n# Windows\r\n"],
)
def test_a_card_without_the_block_gets_one(card: str) -> None:
    new = into_card(card, [a_run()], SiteFacts())
    body = card.split("---", 2)[2] if card.startswith("---") else card
    assert new.endswith(body)
    assert yaml.safe_load(new.split("---")[1])["co2_eq_emissions"]["hardware_used"] == "AMD EPYC"
    assert ("\r\n" in card) == ("\r\n" in new)


def test_without_a_factor_nothing_is_invented() -> None:
    with pytest.raises(AnalysisError, match="carbon_intensity_g_per_kwh"):
        emissions([a_run(kg_co2eq_per_kwh=None)], SiteFacts())
    with pytest.raises(AnalysisError, match="one training"):
        emissions([a_run(), a_run()], SiteFacts())
