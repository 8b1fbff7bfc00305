"""Each format from a measured record, an imported log and a run of the public API: valid, and in
the units that it asks for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from spdx_python_model import v3_0_1 as model

import watt_for_what as watt
from analysis.__main__ import main
from analysis.commands.export import gather
from analysis.errors import AnalysisError
from analysis.export.formats import FORMATS
from analysis.export.report_facts import RunFacts
from analysis.export.site_facts import SiteFacts
from metering.record import Record
from metering.record_file import read
from tests.analysis.records.codecarbon.logs import a_log

SHIPPED = Path("results/records/small/classification/swin_t")
SOURCES = ("measured", "imported", "public API")


@dataclass(frozen=True)
class Source:
    """A record on disk, and what the exports see of it."""

    record: Record
    runs: Sequence[RunFacts]

    def made(self, name: str) -> dict[str, str]:
        files = FORMATS[name](self.runs, SiteFacts()).files
        return {name: text for name, text in files.items() if isinstance(text, str)}

    def kwh(self, phase: str) -> float:
        """Of the measured blocks, from the record itself."""
        blocks = [one for one in self.record.phases[phase].readings if one.use == "measured"]
        own = [(one.own.cpu_kwh, one.energy.cpu_kwh) for one in blocks]
        cpu = sum(mine if mine is not None else theirs or 0.0 for mine, theirs in own)
        rest = sum((one.energy.gpu_kwh or 0.0) + (one.energy.ram_kwh or 0.0) for one in blocks)
        return cpu + rest

    @property
    def kg_per_kwh(self) -> float | None:
        """None of the shipped record: nobody said where it was measured."""
        factor = self.record.host.emissions
        assert factor is not None
        return factor.kg_co2eq_per_kwh if factor.country_is_said else None


def _measured(_: Path) -> Path:
    return min(path.parent for path in SHIPPED.rglob("record.json"))


def _imported(folder: Path) -> Path:
    test = {"task_name": "test", "timestamp": "2025-03-01T10:10:00", "energy_consumed": "0.011"}
    a_log(folder / "logs", {"task_name": "train"}, test)
    given = ["--samples", "1000", "--model", "vit", "--out", str(folder / "runs")]
    assert main(["import", str(folder / "logs"), *given]) == 0
    return folder / "runs"


def _public_api(folder: Path) -> Path:
    matrix = np.ones((100, 100))
    said: dict[str, Any] = {"data": "my-set", "whole": True, "output_dir": folder / "runs"}
    said["country"] = "GBR"
    with watt.measure("my-net", batch_size=8, **said) as run:
        for phase in ("train", "test"):
            with run.window(phase) as window:
                for _ in range(4):
                    matrix = matrix @ matrix / 100
                    window.step(8)
    return folder / "runs"


MAKERS: dict[str, Callable[[Path], Path]] = {
    "measured": _measured,
    "imported": _imported,
    "public API": _public_api,
}


@pytest.fixture(scope="module", params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = MAKERS[request.param](tmp_path_factory.mktemp("source"))
    [path] = folder.rglob("record.json")
    return Source(read(path), gather([str(folder)]))


def test_the_card_is_in_grams(source: Source) -> None:
    if source.kg_per_kwh is None:
        with pytest.raises(AnalysisError, match="nobody said in which country"):
            source.made("huggingface")
        return
    [text] = source.made("huggingface").values()
    block = yaml.safe_load(text)["co2_eq_emissions"]
    grams = source.kwh("train") * source.kg_per_kwh * 1000
    assert block["emissions"] == pytest.approx(grams, rel=1e-6)
    assert "measured window" in block["source"]
    is_part = source.record.paper_row is not None  # the others are all that ran
    assert ("not a whole training" if is_part else "all training of the run") in block["source"]
    assert ("training_type" in block) == (source.record.paper_row is not None)


def test_boamps_is_in_kwh_and_says_nothing_that_the_record_does_not(source: Source) -> None:
    reports = [json.loads(text) for text in source.made("boamps").values()]
    assert len({one["header"]["reportId"] for one in reports}) == len(source.record.phases)
    for report, phase in zip(reports, source.record.phases, strict=True):
        [measure] = report["measures"]
        assert measure["powerConsumption"] == pytest.approx(source.kwh(phase), rel=1e-6)
        assert {"taskStage", "taskFamily", "algorithms", "dataset"} <= set(report["task"])
        is_known = source.record.paper_row is not None
        [data] = report["task"]["dataset"]
        assert data["dataType"] == ("image" if is_known else "other")
        assert ("quantization" in report["task"]["algorithms"][0]) == is_known
        assert report["infrastructure"]["components"]
        if source.kg_per_kwh is None:
            assert "environment" not in report
        else:
            grams = report["environment"]["powerSourceCarbonIntensity"]
            assert grams == pytest.approx(source.kg_per_kwh * 1000)
        assert (
            measure.get("measurementDateTime", "")[:10]
            == (source.record.phases[phase].started_at or "")[:10]
        )


def test_cyclonedx_is_valid_and_in_tonnes(source: Source) -> None:
    from cyclonedx.schema import SchemaVersion  # its grammars of formats take a second to import
    from cyclonedx.validation.json import JsonStrictValidator

    [text] = source.made("cyclonedx").values()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    [component] = json.loads(text)["components"]
    environment = component["modelCard"]["considerations"]["environmentalConsiderations"]
    for one, phase in zip(environment["energyConsumptions"], source.record.phases, strict=True):
        kwh = source.kwh(phase)
        assert one["activityEnergyCost"] == {"value": pytest.approx(kwh), "unit": "kWh"}
        if source.kg_per_kwh is None:
            assert "co2CostEquivalent" not in one
        else:
            tonnes = pytest.approx(kwh * source.kg_per_kwh / 1000)
            assert one["co2CostEquivalent"] == {"value": tonnes, "unit": "tCO2eq"}


def test_spdx_is_valid_and_in_kilowatt_hours(source: Source) -> None:
    [text] = source.made("spdx").values()
    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.BytesIO(text.encode()), objects)
    model.JSONLDSerializer().write(objects, io.BytesIO())
    [package] = objects.foreach_type(model.ai_AIPackage)
    [train] = package.ai_energyConsumption.ai_trainingEnergyConsumption
    assert float(train.ai_energyQuantity) == pytest.approx(source.kwh("train"))
    assert train.ai_energyUnit.endswith("kilowattHour")


def test_sci_is_grams_per_inference_and_no_score_without_embodied_carbon(source: Source) -> None:
    [text] = source.made("sci").values()
    [consumer, *_] = json.loads(text)["scores"] or [{}]
    rate = source.record.phases["test"].energy_kwh_per_sample
    if rate is None or source.kg_per_kwh is None:  # samples were given of training alone
        assert not consumer
        return
    grams = rate.mean * source.kg_per_kwh * 1000
    assert consumer["operational_g_per_unit"] == pytest.approx(grams)
    assert consumer["sci_g_per_unit"] is None


def test_the_compute_report_counts_the_run_once(source: Source) -> None:
    rows = list(csv.DictReader(io.StringIO(source.made("compute-report")["compute.csv"])))
    spent = {row["field"]: row["value"] for row in rows if row["run"] == "development: all"}
    assert spent["runs"] == "1"
    assert float(spent["kWh"]) >= sum(map(source.kwh, source.record.phases)) * 0.999
    said = {row["field"]: row["value"] for row in rows}
    assert f"{source.kwh('train'):.4g} kWh" in said["train: measured"]


def test_the_blocks_are_all_there(source: Source) -> None:
    files = FORMATS["blocks"](source.runs, SiteFacts()).files
    parquet = files["blocks.parquet"]
    assert isinstance(parquet, bytes)
    frame = pd.read_parquet(io.BytesIO(parquet))
    number = sum(len(phase.readings) for phase in source.record.phases.values())
    assert len(frame) == number
    assert len(frame) == str(files["blocks.csv"]).count("\n") - 1
