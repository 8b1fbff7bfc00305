"""Records as the suite writes them, for the tests of this room."""

from __future__ import annotations

import uuid
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from analysis.published import facts as published
from metering.record import (
    Energy,
    Failure,
    Interval,
    ModelFacts,
    Overhead,
    PhaseRecord,
    Reading,
    Record,
    Sensor,
    Stage,
)
from metering.record_file import write
from metering.record_host import Code
from metering.setup import Asked, DataSetUp, Found, SetUp

IMAGES = 1_281_167
TRAIN = Stage("train", dataset="imagenet1k", num_samples=IMAGES, num_epochs=300)
SENSORS = {
    "gpu": Sensor("counter", "NVML"),
    "cpu": Sensor("rapl", "package"),
    "ram": Sensor("modelled"),
}


def a_phase(
    phase: str = "train", kwh_per_sample: float = 1e-6, half_width: float | None = 2e-8, **more: Any
) -> PhaseRecord:
    """Ten equal blocks of 320 samples, a tenth of the energy each in CPU and RAM; in the time that
    `duration_s_per_sample` says where it is among `more`."""
    pace = more.get("duration_s_per_sample")
    block = Reading(
        started_at_s=0.0,
        duration_s=320 * pace.mean if pace else 1.0,
        num_steps=10,
        num_samples=320,
        energy=Energy(
            gpu_kwh=0.8 * 320 * kwh_per_sample,
            cpu_kwh=0.1 * 320 * kwh_per_sample,
            ram_kwh=0.1 * 320 * kwh_per_sample,
        ),
    )
    readings = more.get("readings", tuple(replace(block, started_at_s=float(i)) for i in range(10)))
    num_blocks = sum(one.use == "measured" for one in readings)
    values: dict[str, Any] = {
        "phase": phase,
        "readings": readings,
        "sensors": SENSORS,
        "energy_kwh_per_sample": Interval(kwh_per_sample, half_width, num_blocks=num_blocks),
        "duration_s_per_sample": Interval(1 / 320, 1e-5, num_blocks=num_blocks),
        "stop_reason": "relative_error",
        "batch_size": 32,
    }
    return PhaseRecord(**(values | more))


A6000 = "NVIDIA RTX A6000"


def fields_of(part: Any) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(part))


def a_setup(**more: Any) -> SetUp:
    """Of `a_record`, with other values of fields of `Asked`, `DataSetUp` (as `data_NAME`) and
    `Found`."""
    asked: dict[str, Any] = {
        "task": "classification",
        "model": "swin_t",
        "batch_size": 32,
        "num_devices": 1,
    }
    data: dict[str, Any] = {"name": "synthetic", "origin": "embedded"}
    found: dict[str, Any] = {
        "device": A6000,
        "num_devices": 1,
        "cpu_model": "EPYC",
        "sensors": {name: sensor.how for name, sensor in SENSORS.items()},
    }
    for name, value in more.items():
        if name.startswith("data_"):
            data[name.removeprefix("data_")] = value
        else:
            for part, kind in ((asked, Asked), (found, Found)):
                if name in fields_of(kind):
                    part[name] = value
    return SetUp(Asked(**asked, data=DataSetUp(**data)), Found(**found))


_IN_SETUP = {
    "data": "data_name",
    **{name: name for part in (Asked, Found) for name in fields_of(part) if name != "data"},
    **{f"data_{name}": f"data_{name}" for name in fields_of(DataSetUp)},
}


def a_record(**more: Any) -> Record:
    """A finished run of Swin-T: 1e-6 kWh per image in training, 2.5e-7 in testing. more: fields of
    `Record`, or of its set-up as `a_setup` takes them (`data`: the set's name)."""
    in_setup = {_IN_SETUP[name]: more.pop(name) for name in list(more) if name in _IN_SETUP}
    values: dict[str, Any] = {
        "run_id": uuid.uuid4().hex,
        "status": "finished",
        "setup": a_setup(**in_setup),
        "paper_row": "Swin-T",
        "hardware": "a6000",
        "started_at": "2024-01-01T00:00:00.000+00:00",
        "ended_at": "2024-01-01T00:05:00.000+00:00",
        "config": {
            "scale": "full",
            "data": {"fraction": 1.0},
            "model": {"name": "swin_t", "input_size": None},
            "meter": {"name": "adaptive", "confidence": 0.95},
            "hardware": {"devices": 1, "nodes": 1},
        },
        "code": Code("0.1.0"),
        "recipe": (TRAIN,),
        "facts": ModelFacts(_params_m(more.get("paper_row")), 4.491, (3, 224, 224)),
        "phases": {"train": a_phase(), "test": a_phase("test", 2.5e-7, 5e-9)},
        "overheads": (Overhead("set-up", 3.0, Energy(gpu_kwh=1e-4)),),
    }
    return Record(**(values | more))


def _params_m(paper_row: str | None) -> float:
    """Of the network that stands in the paper's row, millions; Swin-T's where none is."""
    sets = (published.IMAGENET, "Cityscapes", "ADE20K")
    built = (published.value(paper_row or "", one, "params_m_built") for one in sets)
    return next(filter(None, built), 28.288)


def a_failure() -> Record:
    return a_record(
        status="failed", phases={}, failure=Failure("OutOfMemory", "batch_size=32 does not fit")
    )


def put(folder: Path, *records: Record) -> Path:
    """Write each record into a folder of its own under `folder`."""
    for index, record in enumerate(records):
        write(record, folder / f"{record.model.replace('/', '_')}-{index}")
    return folder
