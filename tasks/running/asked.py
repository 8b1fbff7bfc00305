"""What a plan asks for, as the record keeps it."""

from __future__ import annotations

from typing import Any

from metering import catalogue
from metering.setup import Asked, DataSetUp, Origin
from tasks.plan import DataPlan, Plan


def asked_of(plan: Plan) -> Asked:
    """The part of the set-up that is known before anything runs."""
    size = plan.model.input_size
    return Asked(
        task=plan.task,
        model=plan.model.name,
        network=plan.model.source,
        network_options=plan.model.options,
        source_digest=plan.model.digests.get("source"),
        input_size=None if size is None else (size, size),
        training={} if plan.model.training is None else {"name": plan.model.training},
        stage=plan.stage,
        data=_data(plan.data),
        batch_size=plan.batch_size,
        precision=plan.precision,
        channels_last=plan.channels_last,
        compile=plan.compile,
        accelerator=plan.hardware.accelerator,
        num_devices=plan.hardware.devices * plan.hardware.nodes,
        num_nodes=plan.hardware.nodes,
        num_threads=plan.hardware.num_threads,
        num_workers=plan.data.num_workers,
        checkpoint_digest=plan.model.digests.get("checkpoint"),
        scale=plan.scale,
        protocol=_protocol(plan),
    )


def _data(data: DataPlan) -> DataSetUp:
    options = dict(data.options)
    return DataSetUp(
        name=data.name,
        origin=_origin(data),
        fraction=data.fraction,
        num_classes=options.pop("num_classes", None),
        num_train=options.pop("train_samples", None),
        num_test=options.pop("test_samples", None),
        options=options,
    )


def _origin(data: DataPlan) -> Origin:
    known = catalogue.data_set(data.name)
    if known is None:
        return "unknown" if data.root is None else "own"
    if data.root is not None or known.name == "digits":  # digits come with a library, and are real
        return "real"
    return "embedded"


def _protocol(plan: Plan) -> dict[str, Any]:
    if plan.meter.mode == "adaptive":
        return {"mode": "adaptive"}
    steps = {"num_steps": plan.meter.num_steps, "num_warmup_steps": plan.meter.num_warmup_steps}
    return {"mode": plan.meter.mode} | steps
