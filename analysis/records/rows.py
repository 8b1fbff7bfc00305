"""One record's JSON text into rows of the tidy DataFrame.

The head and the rates are validated against the record's own types; of the readings only
what the sums need is looked at, which keeps a hundred thousand records quick to load.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, FiniteFloat, TypeAdapter
from pydantic.dataclasses import dataclass

from analysis.records.calibration import calibration_of
from analysis.records.config_facts import (
    MOST,
    dataset_of,
    gpu_name,
    group,
    number,
    shown,
    text,
    variant,
    whole,
)
from analysis.records.text import parsed
from metering.record import (
    SCHEMA_VERSION,
    Component,
    Failure,
    ModelFacts,
    Overhead,
    Phase,
    RecordError,
    Sensor,
    Stage,
    Status,
    StopReason,
)

COLUMNS = (
    # where from
    "path", "kind", "schema_version", "status", "identity", "started_at",
    # what must agree before records are merged
    "task", "model", "paper_row", "dataset", "data", "hardware", "gpu_name", "cpu_model",
    "num_devices", "batch_size", "precision", "variant", "stage", "scale", "phase",
    # further settings
    "data_fraction", "meter", "code_version", "recipe", "wall_meter",
    # measured
    "kwh_per_sample", "kwh_half_width", "confidence", "num_blocks", "s_per_sample",
    "s_half_width", "num_samples", "stop_reason", "num_nodes", "views_per_sample",
    "gpu_kwh", "cpu_kwh", "ram_kwh", "energy_kwh", "duration_s",
    "gpu_sensor", "cpu_sensor", "ram_sensor", "emissions_kg_co2eq", "idle_power_w",
    "peak_memory_mib", "data_wait_share", "setup_kwh", "checkpoint_kwh", "params_m", "gmacs",
    "top1_pct", "miou_pct",
    # what to know about it
    "flags", "notes", "failure",
)  # fmt: skip
TEXT_COLUMNS = frozenset((
    "kind", "status", "task", "model", "paper_row", "dataset", "data", "hardware", "gpu_name",
    "cpu_model",
    "precision", "variant", "stage", "scale", "phase", "meter", "code_version", "stop_reason",
    "gpu_sensor", "cpu_sensor", "ram_sensor", "failure",
))  # fmt: skip
LEAST_KWH = 1e-15
"""Least rate, kWh per sample: 3.6 nJ, a thousandth of a million 32-bit multiplications at
3.7 pJ (Horowitz 2014, 45 nm). Less is damage, and may round to a zero that is divided by."""
_Amount = Annotated[FiniteFloat, Field(ge=0, le=MOST)]
_Count = Annotated[int, Field(ge=0, le=MOST)]
_Whole = Annotated[int, Field(ge=1, le=MOST)]
_Confidence = Annotated[FiniteFloat, Field(gt=0, lt=1)]
_loose = dataclass(frozen=True, config=ConfigDict(extra="ignore"))


@_loose
class _Interval:
    mean: _Amount
    half_width: _Amount | None
    confidence: _Confidence = 0.95
    num_blocks: _Count = 0


@_loose
class _PhaseHead:
    phase: Phase
    sensors: dict[Component, Sensor]
    energy_kwh_per_sample: _Interval | None
    duration_s_per_sample: _Interval | None
    stop_reason: StopReason
    batch_size: _Whole
    num_nodes: _Whole = 1
    data_wait_share: _Amount | None = None
    idle_power_w: _Amount | None = None
    emissions_kg_co2eq: _Amount | None = None
    peak_memory_mib: _Amount | None = None
    quality: dict[str, FiniteFloat] = Field(default_factory=dict)
    views_per_sample: _Whole = 1
    flags: tuple[str, ...] = ()


@_loose
class _Head:
    status: Status
    identity: str
    task: Literal["classification", "segmentation", "action_recognition"]
    model: str
    paper_row: str | None
    data: str
    hardware: str
    batch_size: _Whole
    precision: str
    stage: str
    started_at: str
    config: dict[str, Any]
    code: dict[str, Any]
    host: dict[str, Any]
    recipe: tuple[Stage, ...] = ()
    facts: ModelFacts = ModelFacts()
    phases: dict[Phase, _PhaseHead] = Field(default_factory=dict)
    overheads: tuple[Overhead, ...] = ()
    failure: Failure | None = None
    notes: tuple[str, ...] = ()


_HEAD = TypeAdapter(_Head)
_recipes: dict[str, tuple[Stage, ...]] = {}


def rows_of(text: bytes, path: str) -> list[tuple[Any, ...]]:
    """Rows in the order of `COLUMNS`, one per phase, or one without a phase for a run that
    measured none. Raises `RecordError` with one line that says what is wrong."""
    data = parsed(text)
    try:
        head = _HEAD.validate_python(data)
    except ValueError as error:
        raise RecordError(_first_line_of(error)) from None
    shared = _shared(head, path)
    if not head.phases:
        return [_row(shared)]
    rows = []
    for name, phase in head.phases.items():
        if phase.phase != name:
            raise RecordError(f"phases.{name}.phase: it says {phase.phase}; measure it again")
        rows.append(_row(shared | _phase(phase, data["phases"][name])))
    return rows


def _first_line_of(error: ValueError) -> str:
    errors: list[Any] = getattr(error, "errors", list)()
    if not errors:
        return str(error).splitlines()[0]
    key = ".".join(str(part) for part in errors[0]["loc"])
    return f"{key}: {errors[0]['msg']}"


def _row(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(map(values.get, COLUMNS))


def _shared(head: _Head, path: str) -> dict[str, Any]:
    config = head.config
    failure = head.failure
    return {
        "path": path,
        "kind": "record",
        "schema_version": SCHEMA_VERSION,
        "status": head.status,
        "identity": head.identity,
        "started_at": head.started_at,
        "task": head.task,
        "model": head.model,
        "paper_row": head.paper_row,
        "dataset": dataset_of(head.task, head.data, head.recipe),
        "data": head.data,
        "hardware": head.hardware,
        "gpu_name": gpu_name(head.host),
        "cpu_model": text(head.host, "host", "cpu_model", "cpu"),
        "num_devices": whole(config, "hardware", "devices", 1)
        * whole(config, "hardware", "nodes", 1),
        "batch_size": head.batch_size,
        "precision": head.precision,
        "stage": head.stage,
        "variant": variant(config),
        "scale": text(config, "config", "scale") or "full",
        "data_fraction": number(config, "data", "fraction", 1.0, most=1.0),
        "meter": text(group(config, "meter"), "config.meter", "name"),
        "code_version": text(head.code, "code", "version", "commit", "revision"),
        "recipe": _shared_recipe(head.recipe),
        "wall_meter": calibration_of(group(config, "hardware")),
        "setup_kwh": _overhead_kwh(head, "set-up"),
        "checkpoint_kwh": _overhead_kwh(head, "checkpoint"),
        "params_m": head.facts.params_m,
        "gmacs": head.facts.gmacs,
        "notes": "; ".join(head.notes),
        "failure": f"{failure.type}: {failure.message}".splitlines()[0] if failure else None,
        "flags": "",
    }


def _overhead_kwh(head: _Head, name: str) -> float | None:
    return next((item.energy.total_kwh for item in head.overheads if item.name == name), None)


def _phase(phase: _PhaseHead, raw: dict[str, Any]) -> dict[str, Any]:
    rate, pace = phase.energy_kwh_per_sample, phase.duration_s_per_sample
    if rate is not None and rate.mean < LEAST_KWH:
        raise RecordError(
            f"phases.{phase.phase}.energy_kwh_per_sample.mean: {rate.mean} kWh is not above 0, or "
            "less than any network takes; measure it again"
        )
    for name, quality in phase.quality.items():
        most = 100 if name.endswith("_pct") else 1 if name in ("accuracy", "miou") else None
        if most is not None and not 0 <= quality <= most:
            where = f"phases.{phase.phase}.quality.{name}"
            raise RecordError(f"{where}: {quality} is not in 0..{most}; measure it again")
    return {
        "phase": phase.phase,
        "kwh_per_sample": rate.mean if rate else None,
        "kwh_half_width": rate.half_width if rate else None,
        "confidence": rate.confidence if rate else None,
        "num_blocks": rate.num_blocks if rate else None,
        "s_per_sample": pace.mean if pace else None,
        "s_half_width": pace.half_width if pace else None,
        "stop_reason": phase.stop_reason,
        "num_nodes": phase.num_nodes,
        "views_per_sample": phase.views_per_sample,
        "gpu_sensor": _how(phase, "gpu"),
        "cpu_sensor": _how(phase, "cpu"),
        "ram_sensor": _how(phase, "ram"),
        "emissions_kg_co2eq": phase.emissions_kg_co2eq,
        "idle_power_w": phase.idle_power_w,
        "peak_memory_mib": phase.peak_memory_mib,
        "data_wait_share": phase.data_wait_share,
        "top1_pct": phase.quality.get("top1_pct"),
        "miou_pct": phase.quality.get("miou_pct"),
        "flags": "; ".join(phase.flags),
    } | _sums(raw.get("readings"), phase.phase)


def _sums(readings: Any, phase: str) -> dict[str, Any]:
    """Totals over the blocks that count, of our own counters where there are some, as in
    `metering.block.preferred`. Absent components stay None."""
    parts: dict[str, float | None] = {"gpu_kwh": None, "cpu_kwh": None, "ram_kwh": None}
    num_samples, duration_s, negative = 0, 0.0, False
    try:
        for block in readings:
            if block.get("use", "measured") != "measured":
                continue
            samples, seconds, energy = block["num_samples"], block["duration_s"], block["energy"]
            num_samples += samples
            duration_s += seconds
            if samples < 0 or seconds < 0:  # the sums would hide it
                negative = True
            own = block.get("own") or {}
            for name, sum_kwh in parts.items():
                kwh = own.get(name)
                kwh = energy.get(name) if kwh is None else kwh
                if kwh is not None:
                    parts[name] = (sum_kwh or 0.0) + kwh
                    if kwh < 0:
                        negative = True
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise RecordError(f"phases.{phase}.readings: not readings ({error!r})") from None
    known = [kwh for kwh in parts.values() if kwh is not None]
    sums = (*known, duration_s, num_samples)
    if negative or not all(0 <= number < math.inf for number in sums) or num_samples > MOST:
        raise RecordError(
            f"phases.{phase}.readings: an energy, duration or count is not a number >= 0, "
            "or out of range"
        )
    total = sum(known) if known else None
    return {**parts, "energy_kwh": total, "num_samples": num_samples, "duration_s": duration_s}


def _how(phase: _PhaseHead, component: Component) -> str | None:
    sensor = phase.sensors.get(component)
    return sensor.how if sensor else None


def _shared_recipe(recipe: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The same object for the same recipe: many records carry one."""
    name = repr(recipe)
    if name not in _recipes:
        for at, stage in enumerate(recipe):
            for factor in (stage.num_samples, stage.num_epochs, stage.share):
                if factor is not None and not 0 <= factor <= MOST:
                    raise RecordError(f"recipe.{at}: {shown(factor)} is out of range")
        _recipes[name] = recipe
    return _recipes[name]
