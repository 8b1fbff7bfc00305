"""The record: written whole, read back equal, and refused with a reason when it is not one."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from metering.record import (
    SCHEMA_VERSION,
    Energy,
    Failure,
    Interval,
    PhaseRecord,
    Reading,
    Record,
    RecordError,
    Sensor,
    Stage,
)
from metering.record_file import from_json, read, to_json, write
from metering.record_host import Code
from metering.setup import Asked, DataSetUp, Found, SetUp

READING = Reading(0.0, 1.5, 10, 320, Energy(cpu_kwh=1e-5, ram_kwh=2e-6), data_wait_s=0.1)
TRAIN = PhaseRecord(
    phase="train",
    readings=(READING,),
    sensors={"gpu": Sensor("absent"), "cpu": Sensor("modelled", "TDP x load")},
    energy_kwh_per_sample=Interval(3.75e-8, None, num_blocks=1),
    duration_s_per_sample=Interval(1.5 / 320, None, num_blocks=1),
    stop_reason="time_budget",
    batch_size=32,
)
ASKED = Asked("classification", "resnet18", data=DataSetUp("synthetic"), batch_size=32)
RECORD = Record(
    run_id="0" * 32,
    status="finished",
    setup=SetUp(ASKED, Found(cpu_model="a CPU")),
    paper_row="ResNet18",
    hardware="local",
    started_at="2026-01-01T00:00:00+00:00",
    ended_at="2026-01-01T00:01:00+00:00",
    config={"seed": 0},
    code=Code("0.1.0"),
    recipe=(Stage("train", num_samples=1281167, num_epochs=120),),
    phases={"train": TRAIN},
)


def test_a_record_reads_back_as_it_was_written(tmp_path):
    assert read(write(RECORD, tmp_path / "run")) == RECORD


def test_a_file_name_that_is_no_utf8_does_not_cost_the_record(tmp_path):
    name = os.fsdecode(b"b\xff.jpg")
    failure = Failure("PlanError", f"image {name} cannot be decoded", f"Traceback of {name}")
    write(replace(RECORD, failure=failure, notes=(name,)), tmp_path)
    record_read = read(tmp_path / "record.json")
    assert record_read.failure == Failure(
        "PlanError", r"image b\udcff.jpg cannot be decoded", r"Traceback of b\udcff.jpg"
    )
    assert record_read.notes == (r"b\udcff.jpg",)


def test_absent_is_null_and_not_zero():
    block = json.loads(to_json(RECORD))["phases"]["train"]["readings"][0]
    assert block["energy"]["gpu_kwh"] is None
    assert READING.energy.total_kwh == pytest.approx(1.2e-5)
    assert Energy().total_kwh is None


def test_writing_leaves_nothing_else_and_replaces_whole(tmp_path):
    write(RECORD, tmp_path)
    write(replace(RECORD, status="failed"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    assert read(tmp_path / "record.json").status == "failed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        (f"<<<<<<< HEAD\n{to_json(RECORD)}\n=======\n", "a conflict of Git's"),
        (to_json(RECORD)[:-40], "not JSON"),
        ("[]", "schema_version"),
        ('{"schema_version": true}', "schema_version"),
        (to_json(RECORD).replace('"batch_size": 32', '"batch_size": "many"'), "batch_size"),
        (to_json(RECORD).replace("0.00001", "NaN"), "cpu_kwh"),
        (to_json(RECORD).replace("0.00001", "-1.0"), "cpu_kwh"),
        (to_json(RECORD).replace('"seed"', '"seed').replace("\n", ""), "not JSON"),
    ],
)
def test_a_damaged_record_is_refused_with_the_place(text, words):
    with pytest.raises(RecordError, match=words):
        from_json(text)


def test_a_newer_schema_says_so():
    newer = to_json(RECORD).replace(
        f'"schema_version": {SCHEMA_VERSION}', f'"schema_version": {SCHEMA_VERSION + 1}'
    )
    with pytest.raises(RecordError, match="newer"):
        from_json(newer)
