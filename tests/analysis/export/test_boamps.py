"""BoAmps 1.1.0, field by field from its schema: no package ships it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from analysis.export.boamps import export
from analysis.export.report_facts import RunFacts
from analysis.export.site_facts import SiteFacts
from tests.analysis.export.sample_runs import a_run, a_site, a_window

STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def _reports(run: RunFacts, site: SiteFacts) -> list[dict[str, Any]]:
    return [json.loads(text) for text in export([run], site).files.values()]


def test_each_phase_has_a_report_with_every_required_key() -> None:
    train, test = _reports(a_run(), a_site())
    for report in (train, test):
        assert {"task", "measures", "infrastructure"} <= set(report)
        assert {"taskStage", "taskFamily", "algorithms", "dataset"} <= set(report["task"])
        assert report["task"]["dataset"][0]["dataUsage"] == "input"
        assert report["task"]["dataset"][0]["dataType"] == "image"
        assert report["infrastructure"]["infraType"] == "onPremise"
        for component in report["infrastructure"]["components"]:
            assert component["componentType"]
            assert isinstance(component["nbComponent"], int)
        assert report["header"]["publisher"]["confidentialityLevel"] == "public"
        assert STAMP.fullmatch(report["header"]["reportDatetime"])
        assert report["environment"]["country"] == "FRA"
    assert (train["task"]["taskStage"], test["task"]["taskStage"]) == ("training", "inference")
    assert test["task"]["nbRequest"] == 88


def test_units_are_those_of_the_format() -> None:
    phase = a_window(quality={"top1_pct": 81.2})
    [report] = _reports(a_run(phases=(phase,)), SiteFacts())
    [measure] = report["measures"]
    assert measure["powerConsumption"] == 7.2452e-05  # kWh, in spite of its name
    assert measure["measurementDuration"] == 11.877
    assert STAMP.fullmatch(measure["measurementDateTime"])
    assert report["task"]["algorithms"][0]["parametersNumber"] == pytest.approx(0.028278)
    assert report["task"]["measuredAccuracy"] == pytest.approx(0.812)
    assert report["environment"]["powerSourceCarbonIntensity"] == pytest.approx(237.589)
    assert measure["powerCalibrationMeasurement"] == 5e-6
    assert "± " in measure["interval"]


def test_what_a_log_does_not_say_is_absent_and_not_zero() -> None:
    bare = a_run(os=None, cpu_model=None, memory_gib=None, phases=(a_window(num_samples=0),))
    [report] = _reports(bare, a_site())
    assert "system" not in report
    assert "dataQuantity" not in report["task"]["dataset"][0]
    left_out = export([bare], a_site()).left_out
    assert any("infrastructure.components" in name for name in left_out)


def test_quality_is_said_only_where_the_error_is_known() -> None:
    counted = a_window(sensors={"gpu": "counter", "cpu": "rapl", "ram": "absent"})
    [report] = _reports(a_run(phases=(counted,)), SiteFacts())
    assert report["quality"] == "high"
    [wide] = _reports(a_run(phases=(replace(counted, kwh_half_width=1.6e-7),)), SiteFacts())
    assert wide["quality"] == "medium"
    [modelled] = _reports(a_run(phases=(a_window(),)), SiteFacts())
    assert "quality" not in modelled


def test_what_only_the_user_knows_is_left_out_by_name() -> None:
    left_out = export([a_run()], SiteFacts()).left_out
    assert any("infrastructure.infraType" in name for name in left_out)
    assert any("publisher" in name for name in left_out)
    assert not any("infraType" in name for name in export([a_run()], a_site()).left_out)
