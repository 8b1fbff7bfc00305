"""SPDX 3.0.1, by the bindings that spdx-python-model makes from the model's SHACL shapes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from spdx_python_model import v3_0_1 as model

from analysis.errors import AnalysisError
from analysis.export.report_facts import RunFacts
from analysis.export.site_facts import ModelPage, SiteFacts
from analysis.export.spdx import FILE, export, plain_decimal
from tests.analysis.export.sample_runs import a_run, a_site


def _text(run: RunFacts, site: SiteFacts) -> str:
    text = export([run], site).files[FILE]
    assert isinstance(text, str)
    return text


def _read(text: str) -> Any:
    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.BytesIO(text.encode()), objects)
    return objects


def _write(objects: Any) -> dict[str, Any]:
    """The serializer refuses what lacks a required property."""
    stream = io.BytesIO()
    model.JSONLDSerializer().write(objects, stream)
    document: dict[str, Any] = json.loads(stream.getvalue())
    return document


@pytest.mark.parametrize("site", [SiteFacts(), a_site()])
def test_the_document_is_valid(site: SiteFacts) -> None:
    objects = _read(_text(a_run(), site))
    [package] = objects.foreach_type(model.ai_AIPackage)
    [train] = package.ai_energyConsumption.ai_trainingEnergyConsumption
    [test] = package.ai_energyConsumption.ai_inferenceEnergyConsumption
    assert float(train.ai_energyQuantity) == pytest.approx(316.4)
    assert float(test.ai_energyQuantity) == pytest.approx(7.2452e-05)
    assert objects.missing_ids == set()
    assert _write(objects)["@context"]


def test_times_that_are_none_are_refused_or_not_taken() -> None:
    for time in ("soon", "2026-11-23", "2026-11-23T22:20:39"):
        with pytest.raises(AnalysisError, match=f"release_time: '{time}' is no time with a zone"):
            export([a_run()], a_site(model=ModelPage(release_time=time)))
    text = _text(a_run(ended_at="01/03/2025 10:05"), SiteFacts())  # a log out of a spreadsheet
    assert _write(_read(text))["@context"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("kilowattHour", "kWh"), ('"created"', '"made"'), ('3.0.1",\n', 'three",\n')],
)
def test_the_bindings_refuse_what_is_wrong(right: str, wrong: str) -> None:
    text = _text(a_run(), SiteFacts())
    assert right in text
    with pytest.raises(Exception, match=r"."):
        _write(_read(text.replace(right, wrong)))


def test_a_quantity_is_a_plain_decimal() -> None:
    assert plain_decimal(7.2e-05) == "0.000072"
    assert plain_decimal(316.4) == "316.4"


def test_the_comment_says_what_the_format_has_no_field_for() -> None:
    [package] = [
        one
        for one in json.loads(_text(a_run(), SiteFacts()))["@graph"]
        if one["type"] == "ai_AIPackage"
    ]
    for words in ("projected recipe (300 epochs): 316.4 ± 16 kWh", "measured window", "CPU rapl"):
        assert words in package["comment"]


def test_what_the_user_must_give_is_left_out_by_name() -> None:
    left_out = export([a_run()], SiteFacts()).left_out
    for name in (
        "suppliedBy",
        "releaseTime",
        "software_downloadLocation",
        "software_packageVersion",
    ):
        assert any(one.startswith(name) for one in left_out)
    assert export([a_run()], a_site()).left_out == ()
