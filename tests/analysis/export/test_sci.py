"""The operational part with its boundary; no SCI without embodied carbon."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis.export.report_facts import RunFacts
from analysis.export.sci import FILE, export
from analysis.export.site_facts import Embodied, SiteFacts
from tests.analysis.export.sample_runs import a_run, a_site, a_window


def _scores(run: RunFacts, site: SiteFacts) -> list[dict[str, Any]]:
    scores: list[dict[str, Any]] = json.loads(export([run], site).files[FILE])["scores"]
    return scores


def test_without_embodied_carbon_there_is_no_score() -> None:
    for score in _scores(a_run(), SiteFacts()):
        assert score["embodied_g_per_unit"] is None
        assert score["sci_g_per_unit"] is None
        assert "operational alone is not an SCI" in score["note"]
    assert any("embodied" in name for name in export([a_run()], SiteFacts()).left_out)


def test_the_operation_of_one_inference() -> None:
    score = _scores(a_run(), SiteFacts())[0]
    assert score["boundary"] == "consumer"
    assert score["operational_g_per_unit"] == pytest.approx(5.98e-05, rel=1e-3)
    assert score["measured_as"] == "measured window"
    assert "data centre overhead (PUE)" in score["not_in_it"]


def test_with_embodied_carbon_both_parts_add() -> None:
    score = _scores(a_run(), a_site())[0]
    life_s = 4 * 365.25 * 86400
    assert score["embodied_g_per_unit"] == pytest.approx(150_000 * 0.13497 / life_s)
    assert score["operational_g_per_unit"] == pytest.approx(2.5181e-07 * 1.2 * 50)
    parts = score["operational_g_per_unit"] + score["embodied_g_per_unit"]
    assert score["sci_g_per_unit"] == pytest.approx(parts)


def test_the_providers_units_are_named_and_of_the_whole_recipe() -> None:
    provider = [one for one in _scores(a_run(), a_site()) if one["boundary"] == "provider"]
    assert [one["functional_unit"] for one in provider] == [
        "billion parameters",
        "10^18 FLOP of training",
    ]
    assert provider[0]["operational_g_per_unit"] == pytest.approx(316.4 * 1.2 * 50 / 0.028278)
    flop = 2 * 3 * 4.5e9 * 1_281_167 * 300 / 1e18
    assert provider[1]["operational_g_per_unit"] == pytest.approx(316.4 * 1.2 * 50 / flop)


def test_without_a_projection_the_provider_is_left_out_by_name() -> None:
    run = a_run(projection=None, projection_missing=("its scale is small",))
    assert [one["boundary"] for one in _scores(run, a_site())] == ["consumer"]
    assert "provider: its scale is small" in export([run], a_site()).left_out


def test_what_a_reader_must_know_is_in_each_score() -> None:
    phases = (a_window(flags=("few blocks",)), a_window("test", flags=("pue 1.25 is divided out",)))
    consumer, *provider = _scores(a_run(phases=phases), SiteFacts())
    assert consumer["flags"] == ["pue 1.25 is divided out"]
    assert all(score["flags"] == ["few blocks"] for score in provider)


def test_a_utilisation_that_nobody_said_is_told() -> None:
    said = a_site(embodied=Embodied(150.0, 4.0, "data sheet", utilisation=0.5))
    unsaid = a_site(embodied=Embodied(150.0, 4.0, "data sheet"))
    half, full = (_scores(a_run(), site)[0] for site in (said, unsaid))
    assert half["embodied_g_per_unit"] == pytest.approx(2 * full["embodied_g_per_unit"])
    assert "its utilisation is not said and taken as 1" in full["note"]
    assert "utilisation" not in half["note"]
