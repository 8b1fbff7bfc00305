"""Records of schema 1, the shipped ones, keep their meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metering.record import RecordError, Stage
from metering.record_file import from_json, read, summary_from_json, to_json
from metering.setup import Asked, DataSetUp, Found

SHIPPED = Path(__file__).resolve().parents[2] / "results" / "records"
RESNET18 = min(SHIPPED.glob("small/classification/resnet18/local/*/record.json"))
MOVINET = min(SHIPPED.glob("small/action_recognition/movinet_a0/local/*/record.json"))


def content(path: Path = RESNET18) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    assert data["schema_version"] == 1
    return data


def test_what_was_asked_comes_from_the_plan_and_the_head():
    old = content()
    model, data = old["config"]["model"], old["config"]["data"]
    assert read(RESNET18).setup.asked == Asked(
        task="classification",
        model="resnet18",
        network="resnet18",
        input_size=(model["input_size"], model["input_size"]),
        training={"name": model["training"]},
        data=DataSetUp(
            "synthetic",
            "embedded",
            data["fraction"],
            num_classes=1000,
            num_train=data["options"]["train_samples"],
            num_test=50_000,
            options={"num_files": 64, "width": 500, "height": 375},
        ),
        batch_size=old["batch_size"],
        num_devices=1,
        scale="small",
        protocol={"mode": "adaptive"},
    )


def test_what_was_found_comes_from_the_host_and_what_schema_1_did_not_know_is_absent():
    found = read(MOVINET).setup.found
    assert found == Found(
        cpu_model="AMD EPYC",
        versions={
            "torch": "2.7.1",
            "timm": "1.0.31",
            "mmengine": "0.10.7",
            "mmcv-lite": "2.1.0",
            "mmsegmentation": "1.2.2",
            "mmaction2": "1.2.0",
            "mmpretrain": "1.2.0",
        },
        sensors={"gpu": "absent", "cpu": "modelled", "ram": "modelled"},
    )
    assert (found.network_fingerprint, found.step_version, found.device) == (None, None, None)


def test_a_metered_board_and_its_power_limit_are_found():
    old = content()
    boards = [
        {
            "index": 1,
            "uuid": "GPU-b",
            "name": "Tesla T4",
            "energy_counter": True,
            "board_power_w": 70.0,
        }
    ]
    states = [
        {"index": 0, "uuid": "GPU-a", "name": "NVIDIA RTX A6000", "power_limit_w": 300.0},
        {"index": 1, "uuid": "GPU-b", "name": "Tesla T4", "power_limit_w": 60.0},
    ]
    old["host"] |= {"gpus": boards, "gpu_states": states}
    record = from_json(json.dumps(old))
    found = record.setup.found
    assert found is not None
    assert (found.device, found.num_devices, found.power_limit_w) == ("Tesla T4", 1, 60.0)
    assert [gpu.uuid for gpu in record.host.gpus] == ["GPU-b"]


def without_absent(value: Any) -> Any:
    """A field that is younger than a record is absent in it."""
    if isinstance(value, dict):
        return {key: without_absent(one) for key, one in value.items() if one is not None}
    return [without_absent(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", sorted(SHIPPED.rglob("record.json")), ids=lambda p: p.parts[-4])
def test_what_is_no_setup_stays_as_it_was(path: Path):
    old, record = content(path), read(path)
    new = json.loads(to_json(record))
    same = ("status", "paper_row", "hardware", "started_at", "config", "facts", "overheads",
            "phases", "notes", "failure")  # fmt: skip
    for name in same:
        assert without_absent(new[name]) == without_absent(old[name])
    assert record.recipe == tuple(Stage(**stage) for stage in old["recipe"])
    assert record.code.git_commit == old["code"]["git_commit"]
    assert record.host.hostname == old["host"]["hostname"]
    for name in ("task", "model", "data", "batch_size", "precision", "stage"):
        assert getattr(record, name) == old[name]


def test_a_copy_keeps_its_run_id_whatever_its_layout_and_another_run_has_another():
    text = RESNET18.read_text("utf-8")
    record = from_json(text)
    assert from_json(json.dumps(json.loads(text))).run_id == record.run_id
    assert from_json(to_json(record)).run_id == record.run_id
    assert read(MOVINET).run_id != record.run_id


def test_the_summary_is_the_record_without_readings_and_their_sums():
    record = read(RESNET18)
    summary, totals = summary_from_json(RESNET18.read_bytes())
    assert summary.setup == record.setup
    measured = [one for one in record.phases["train"].readings if one.use == "measured"]
    assert totals["train"].num_samples == sum(one.num_samples for one in measured)
    assert totals["train"].energy.cpu_kwh == pytest.approx(
        sum(one.energy.cpu_kwh or 0 for one in measured)
    )
    assert totals["train"].energy.gpu_kwh is None


@pytest.mark.parametrize(
    ("group", "values", "words"),
    [
        ("model", {"input_size": 10**400}, "config.model.input_size: a number of 1329 bits"),
        ("model", {"options": 3}, "config.model.options: 3 is not a group"),
        ("hardware", {"devices": 1.5}, "config.hardware.devices: 1.5 is not a whole"),
        ("hardware", {"devices": -4}, "config.hardware.devices: -4 is not above 0"),
        ("hardware", {"devices": float("nan")}, "config.hardware.devices: nan"),
        ("data", {"fraction": 2}, "config.data.fraction: 2 is not above 0 and up to 1"),
    ],
)
def test_a_damaged_plan_of_schema_1_is_refused_with_its_key(
    group: str, values: dict[str, Any], words: str
):
    old = content()
    old["config"][group] |= values
    with pytest.raises(RecordError, match=words):
        from_json(json.dumps(old))


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-8-sig", "byte order mark"), ("utf-16", "UTF-16"), ("utf-32", "UTF-32")],
)
def test_another_encoding_is_named(encoding: str, words: str):
    with pytest.raises(RecordError, match=words):
        from_json(RESNET18.read_text("utf-8").encode(encoding))
