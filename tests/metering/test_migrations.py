"""Records of schema 1, the shipped ones, keep their meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metering.record import Record, RecordError, Stage
from metering.record_file import from_json, read, summary_from_json, to_json
from metering.setup import Asked, DataSetUp, Found, merge_key

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


A100 = {"name": "NVIDIA A100", "power_limit_w": 400.0}
T4 = {"name": "Tesla T4", "power_limit_w": 70.0}


def with_boards(*boards: dict[str, Any], listed: bool = True, **config: Any) -> Record:
    """A record of schema 1 on these boards. listed: the host says which were metered."""
    old = content()
    states = [board | {"index": at, "uuid": f"GPU-{at}"} for at, board in enumerate(boards)]
    gpus = [
        {
            "index": at,
            "uuid": f"GPU-{at}",
            "name": board["name"],
            "energy_counter": True,
            "board_power_w": None,
        }
        for at, board in enumerate(boards)
    ]
    old["host"] |= {"gpus": gpus, "gpu_states": states}
    if not listed:
        del old["host"]["gpus"]
        for phase in old["phases"].values():
            phase["sensors"]["gpu"]["how"] = "counter"
    old["config"]["hardware"] |= {"devices": 2} | config
    return from_json(json.dumps(old))


@pytest.mark.parametrize("listed", [True, False])
def test_boards_that_are_not_alike_are_named_each_in_any_order(listed: bool):
    mixed = with_boards(A100, T4, listed=listed)
    assert mixed.setup.found is not None
    assert mixed.setup.found.device == "1 x NVIDIA A100 at 400 W + 1 x Tesla T4 at 70 W"
    others = [with_boards(*two) for two in ((A100, A100), (T4, T4))]
    keys = {merge_key(record.setup) for record in (mixed, *others)}
    assert len(keys) == 3
    assert merge_key(with_boards(T4, A100, listed=listed).setup) == merge_key(mixed.setup)


def test_boards_alike_have_one_name_and_one_limit_unless_one_is_held_lower():
    found = with_boards(A100, A100).setup.found
    assert found is not None
    assert (found.device, found.num_devices, found.power_limit_w) == ("NVIDIA A100", 2, 400.0)
    capped = with_boards(A100, A100 | {"power_limit_w": 250.0}).setup.found
    assert capped is not None
    assert capped.device == "1 x NVIDIA A100 at 250 W + 1 x NVIDIA A100 at 400 W"


def test_a_run_on_the_cpu_of_a_machine_with_boards_has_no_device():
    found = with_boards(A100, listed=False, accelerator="cpu").setup.found
    assert found is not None
    assert (found.device, found.num_devices) == (None, None)


def test_a_number_of_epochs_is_kept_where_it_alone_says_how_much_was_measured():
    def protocol(**meter: Any) -> dict[str, Any]:
        old = content()
        old["config"]["meter"] |= {"mode": "fixed"} | meter
        return from_json(json.dumps(old)).setup.asked.protocol

    by_epochs = [protocol(num_steps=None, num_epochs=number) for number in (1, 10)]
    assert by_epochs[0] != by_epochs[1]
    assert protocol(num_steps=20, num_epochs=1) == protocol(num_steps=20)


def without_absent(value: Any) -> Any:
    """A field that is younger than a record is absent in it."""
    if isinstance(value, dict):
        return {key: without_absent(one) for key, one in value.items() if one is not None}
    return [without_absent(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "path", sorted((SHIPPED / "small").rglob("record.json")), ids=lambda p: p.parts[-4]
)
def test_what_is_no_setup_stays_as_it_was(path: Path):
    old, record = content(path), read(path)
    new = json.loads(to_json(record))
    same = (
        "status",
        "paper_row",
        "hardware",
        "started_at",
        "config",
        "facts",
        "overheads",
        "phases",
        "notes",
        "failure",
    )
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
