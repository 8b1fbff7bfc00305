"""BoAmps 1.1.0, field by field from its schema: no package ships it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Literal

import pytest

from analysis.export.boamps import export
from analysis.export.report_facts import RunFacts
from analysis.export.site_facts import ModelPage, Publisher, SiteFacts
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
    started_at = "2026-11-23T22:19:57+00:00"
    phase = a_window(quality={"top1_pct": 81.2}, started_at=started_at)
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
    bare = a_run(os=None, memory_gib=None, phases=(a_window(num_samples=0),))
    [report] = _reports(bare, a_site())
    assert "system" not in report
    assert "dataQuantity" not in report["task"]["dataset"][0]


def test_a_run_without_hardware_is_left_out_by_name() -> None:
    made = export([a_run(cpu_model=None, memory_gib=None), a_run(run_id="b" * 32)], a_site())
    assert [name[:23] for name in made.files] == ["boamps-swin_t-bbbbbbbb-"] * 2
    assert any("swin_t: its log or record names no hardware" in name for name in made.left_out)


def test_quality_is_said_only_where_the_error_is_known() -> None:
    read = {"gpu": "counter", "cpu": "rapl", "ram": "absent"}
    counted = a_window(sensors=read, absolute_share=0.06)
    [report] = _reports(a_run(phases=(counted,)), SiteFacts())
    assert report["quality"] == "high"
    [wide] = _reports(a_run(phases=(replace(counted, absolute_share=0.2),)), SiteFacts())
    assert wide["quality"] == "medium"
    for unknown in (replace(counted, absolute_share=None), a_window(absolute_share=0.06)):
        [report] = _reports(a_run(phases=(unknown,)), SiteFacts())
        assert "quality" not in report


def test_each_report_has_an_id_of_its_own_and_its_phases_start() -> None:
    starts = ("2026-11-23T22:19:57.500+00:00", "2026-11-23T22:20:21+01:00")
    phases = (a_window(started_at=starts[0]), a_window("test", started_at=starts[1]))
    train, test = _reports(a_run(phases=phases), SiteFacts())
    assert train["header"]["reportId"] != test["header"]["reportId"]
    assert _reports(a_run(phases=phases), SiteFacts())[0]["header"] == train["header"]  # stable
    assert train["measures"][0]["measurementDateTime"] == "2026-11-23 22:19:57"
    assert test["measures"][0]["measurementDateTime"] == "2026-11-23 21:20:21"


def test_a_start_that_no_record_has_is_left_out_by_name() -> None:
    made = export([a_run()], SiteFacts())
    assert any("measurementDateTime of the test phase" in name for name in made.left_out)
    assert all("measurementDateTime" not in str(text) for text in made.files.values())


def test_what_only_the_user_knows_is_left_out_by_name() -> None:
    left_out = export([a_run()], SiteFacts()).left_out
    assert any("infrastructure.infraType" in name for name in left_out)
    assert any("publisher" in name for name in left_out)
    assert not any("infraType" in name for name in export([a_run()], a_site()).left_out)


@pytest.mark.parametrize(
    ("run", "said", "word"),
    [
        (a_run(), None, "supervisedLearning"),
        (a_run(stage="finetune"), None, "transferLearning"),
        (a_run(stage="pretrain"), None, None),  # supervised or not is not recorded
        (a_run(has_known_recipe=False), None, None),
        (a_run(has_known_recipe=False), "fine-tuning", "transferLearning"),
        (a_run(has_known_recipe=False), "pre-training", None),
    ],
)
def test_the_training_type_is_in_the_words_of_the_schema(
    run: RunFacts, said: Literal["pre-training", "fine-tuning"] | None, word: str | None
) -> None:
    site = a_site(model=ModelPage(training_type=said))
    train, test = _reports(run, site)
    assert train["task"]["algorithms"][0].get("trainingType") == word
    assert "trainingType" not in test["task"]["algorithms"][0]
    left_out = export([run], site).left_out
    assert any(one.startswith("algorithms.trainingType") for one in left_out) == (word is None)


def test_the_description_holds_nothing_that_nobody_said() -> None:
    bare = a_run(dataset="unknown", has_known_recipe=False, phases=(a_window(batch_size=None),))
    [report] = _reports(bare, a_site())
    assert report["task"]["taskDescription"].startswith("training step; energy of")
    [report, _] = _reports(a_run(), a_site())
    assert "supervised step on ImageNet-1k, batch size 8" in report["task"]["taskDescription"]


def test_a_long_name_makes_a_file_name_that_a_disk_takes() -> None:
    for name in export([a_run(model="\u00e9" * 300)], a_site()).files:
        assert len(name.encode()) < 255


def test_of_an_unknown_number_of_machines_no_cpu_is_counted() -> None:
    gpu = a_run(num_nodes=None, gpu_name="NVIDIA A100", num_devices=8)
    train, _ = _reports(gpu, a_site())
    assert [one["componentType"] for one in train["infrastructure"]["components"]] == ["gpu"]
    assert any("unknown number of machines" in one for one in export([gpu], a_site()).left_out)


def test_a_publisher_who_does_not_say_how_confidential_is_left_out_by_name() -> None:
    made = export([a_run()], a_site(publisher=Publisher("Lab")))
    assert all("publisher" not in json.loads(str(text))["header"] for text in made.files.values())
    assert "header.publisher (give publisher.confidentiality in --facts)" in made.left_out
