"""One record's JSON text into rows of the tidy DataFrame.

Of the readings only their sums are taken, which keeps a hundred thousand records quick to load.
"""

from __future__ import annotations

from typing import Any

from analysis.records.accuracy import quality_of, refuse_impossible
from analysis.records.calibration import calibration_of
from analysis.records.collection import collection_of
from analysis.records.confidence import at_95
from analysis.records.describe import dataset_of, device_of, variant_of
from analysis.records.emission_factor import LOG_SOURCE
from analysis.records.sweeps import machine_of, place_of
from metering import catalogue
from metering.bounds import MOST
from metering.json_values import group, shown, text
from metering.record import Component, Interval, PhaseRecord, Record, RecordError, Stage
from metering.record_file import Totals, summary_from_json
from metering.setup import merge_key

COLUMNS = (
    # where from
    "path", "collection", "kind", "schema_version", "status", "run_id", "training_id", "identity",
    "started_at", "ended_at", "machine", "place",
    # what was asked and found: the whole, its key, and what a reader asks for by name
    "setup", "merge_key", "task", "model", "dataset", "data", "device", "batch_size", "precision",
    "variant", "stage", "scale", "phase", "size_px",
    # what interprets it
    "paper_row", "hardware", "meter", "code_version", "recipe", "wall_meter",
    # measured
    "kwh_per_sample", "kwh_half_width", "num_blocks", "s_per_sample",
    "s_half_width", "num_samples", "stop_reason", "num_nodes", "views_per_sample",
    "gpu_kwh", "cpu_kwh", "ram_kwh", "energy_kwh", "duration_s",
    "gpu_sensor", "cpu_sensor", "ram_sensor", "emissions_kg_co2eq", "country", "idle_power_w",
    "peak_memory_mib", "data_wait_share", "setup_kwh", "checkpoint_kwh", "params_m", "gmacs",
    "accuracy_pct", "accuracy_half_width_pct", "num_accuracy_samples",
    # what to know about it
    "flags", "notes", "failure",
)  # fmt: skip
TEXT_COLUMNS = frozenset((
    "collection", "kind", "status", "machine", "task", "model", "paper_row", "dataset", "data",
    "hardware", "device", "precision", "variant", "stage", "scale", "phase", "meter",
    "code_version", "country", "stop_reason", "gpu_sensor", "cpu_sensor", "ram_sensor", "failure",
))  # fmt: skip
OBJECT_COLUMNS = frozenset((
    "path", "run_id", "training_id", "identity", "started_at", "ended_at", "place", "setup",
    "merge_key", "recipe", "wall_meter", "notes", "flags",
))  # fmt: skip
LEAST_KWH = 1e-15
"""Least rate, kWh per sample: 3.6 nJ, a thousandth of a million 32-bit multiplications at
3.7 pJ (Horowitz 2014, 45 nm). Less is damage, and may round to a zero that is divided by."""
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999
READINGS_WITHIN = 1e-6
"""A rate that differs from its own readings by a larger share contradicts them."""
EMISSIONS_WITHIN = 0.01
"""Older records have CodeCarbon's own emissions, whose energy may differ in the last digits."""
CHANGED = "the record was changed, measure it again"


def rows_of(text: bytes, path: str) -> list[tuple[Any, ...]]:
    """Rows in the order of `COLUMNS`, one per phase, or one without a phase for a run that
    measured none. Raises `RecordError` with one line that says what is wrong."""
    record, totals = summary_from_json(text)
    shared = _shared(record, path)
    if not record.phases:
        return [_row(shared)]
    return [
        _row(shared | _phase(record, phase, totals[name])) for name, phase in record.phases.items()
    ]


def _row(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(map(values.get, COLUMNS))


def _shared(record: Record, path: str) -> dict[str, Any]:
    config, failure = record.config, record.failure
    setup = record.setup
    asked, shape = setup.asked, record.facts.input_shape
    return {
        "path": path,
        "collection": collection_of(path),
        "kind": "record",
        "schema_version": record.schema_version,
        "status": record.status,
        "run_id": record.run_id,
        "training_id": record.training_id,
        "identity": record.identity,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "machine": machine_of(record),
        "place": place_of(record),
        "setup": setup,
        "merge_key": merge_key(setup),
        "task": asked.task,
        "model": asked.model,
        "paper_row": record.paper_row,
        "dataset": dataset_of(asked),
        "data": asked.data.name,
        "hardware": record.hardware,
        "device": device_of(setup),
        "batch_size": asked.batch_size,
        "precision": asked.precision,
        "stage": asked.stage,
        "variant": variant_of(setup),
        "scale": asked.scale,
        "size_px": shape[-1] if asked.task == "classification" and shape else None,
        "meter": text(group(config, "meter"), "config.meter", "name"),
        "code_version": record.code.version,
        "country": _country(record),
        "recipe": _checked(record.recipe),
        "wall_meter": calibration_of(group(config, "hardware")),
        "setup_kwh": _overhead_kwh(record, "set-up"),
        "checkpoint_kwh": _overhead_kwh(record, "checkpoint"),
        "params_m": record.facts.params_m,
        "gmacs": record.facts.gmacs,
        "notes": "; ".join(record.notes),
        "failure": f"{failure.type}: {failure.message}".splitlines()[0] if failure else None,
        "flags": "",
    }


def _may_emit(record: Record) -> bool:
    """Not where nobody named the country whose factor it is."""
    factor = record.host.emissions
    return factor is None or factor.country_is_said


def _country(record: Record) -> str | None:
    factor = record.host.emissions
    return factor.country_iso_code if factor is not None and factor.country_is_said else None


def _overhead_kwh(record: Record, name: str) -> float | None:
    return next((item.energy.total_kwh for item in record.overheads if item.name == name), None)


def _phase(record: Record, phase: PhaseRecord, totals: Totals) -> dict[str, Any]:
    quality_key = _quality_key(record)
    rate, pace = phase.energy_kwh_per_sample, phase.duration_s_per_sample
    if rate is not None and rate.mean < LEAST_KWH:
        raise RecordError(
            f"phases.{phase.phase}.energy_kwh_per_sample.mean: {rate.mean} kWh is not above 0, or "
            "less than any network takes; measure it again"
        )
    _refuse_contradictions(phase, totals)
    _refuse_other_emissions(record, phase, totals)
    refuse_impossible(phase)
    quality = quality_of(record, phase)
    return {
        "phase": phase.phase,
        "kwh_per_sample": rate.mean if rate else None,
        "kwh_half_width": _at_95(rate, f"phases.{phase.phase}.energy_kwh_per_sample"),
        "num_blocks": rate.num_blocks if rate else None,
        "s_per_sample": pace.mean if pace else None,
        "s_half_width": _at_95(pace, f"phases.{phase.phase}.duration_s_per_sample"),
        "stop_reason": phase.stop_reason,
        "num_nodes": phase.num_nodes,
        "views_per_sample": phase.views_per_sample,
        "gpu_sensor": _how(phase, "gpu"),
        "cpu_sensor": _how(phase, "cpu"),
        "ram_sensor": _how(phase, "ram"),
        "emissions_kg_co2eq": phase.emissions_kg_co2eq if _may_emit(record) else None,
        "idle_power_w": phase.idle_power_w,
        "peak_memory_mib": phase.peak_memory_mib,
        "data_wait_share": phase.data_wait_share,
        "accuracy_pct": quality.values.get(quality_key),
        "accuracy_half_width_pct": quality.values.get(
            f"{quality_key.removesuffix('_pct')}_half_width_pct"
        ),
        "num_accuracy_samples": quality.values.get("num_test_samples"),
        "flags": "; ".join(filter(None, (*phase.flags, quality.note))),
        "gpu_kwh": totals.energy.gpu_kwh,
        "cpu_kwh": totals.energy.cpu_kwh,
        "ram_kwh": totals.energy.ram_kwh,
        "energy_kwh": totals.energy.total_kwh,
        "num_samples": totals.num_samples,
        "duration_s": totals.duration_s,
    }


def _quality_key(record: Record) -> str:
    known = catalogue.task(record.task)
    return known.quality_key if known else "accuracy_pct"


def _refuse_contradictions(phase: PhaseRecord, totals: Totals) -> None:
    """Raises `RecordError` where a number is not that of the readings it was made from."""
    rates = (
        ("energy_kwh_per_sample", phase.energy_kwh_per_sample, totals.energy.total_kwh, "kWh"),
        ("duration_s_per_sample", phase.duration_s_per_sample, totals.duration_s, "s"),
    )
    for name, rate, amount, unit in rates:
        if rate is None:
            continue
        where = f"phases.{phase.phase}.{name}"
        if amount is None or not totals.num_samples:
            raise RecordError(f"{where}: no reading that it could come from; {CHANGED}")
        of_readings = amount / totals.num_samples
        if abs(rate.mean - of_readings) > READINGS_WITHIN * of_readings:
            raise RecordError(
                f"{where}.mean: {rate.mean:.6g} {unit}, but its readings give {of_readings:.6g}; "
                + CHANGED
            )
        is_told = rate.num_blocks > 1 or (rate.half_width is not None and rate.num_blocks > 0)
        if is_told and rate.num_blocks != totals.num_blocks:
            raise RecordError(
                f"{where}.num_blocks: {rate.num_blocks}, but {totals.num_blocks} blocks were "
                f"measured; {CHANGED}"
            )


def _refuse_other_emissions(record: Record, phase: PhaseRecord, totals: Totals) -> None:
    """Raises `RecordError` where emissions are not the record's factor times the energy. A log
    brings a total of its own for each phase, and its factor is of its first."""
    factor, kwh = record.host.emissions, totals.energy.total_kwh
    kg = phase.emissions_kg_co2eq
    if factor is None or factor.kg_co2eq_per_kwh is None or kg is None or kwh is None:
        return
    expected = factor.kg_co2eq_per_kwh * kwh
    if factor.source != LOG_SOURCE and abs(kg - expected) > EMISSIONS_WITHIN * expected:
        raise RecordError(
            f"phases.{phase.phase}.emissions_kg_co2eq: {kg:.6g} kg, but its energy times its "
            f"factor is {expected:.6g}; {CHANGED}"
        )


def _at_95(interval: Interval | None, where: str) -> float | None:
    if interval is None or interval.half_width is None:
        return None
    if not LEAST_CONFIDENCE <= interval.confidence <= MOST_CONFIDENCE:
        raise RecordError(
            f"{where}.confidence: {interval.confidence:g} is not from {LEAST_CONFIDENCE} to "
            f"{MOST_CONFIDENCE}, so its interval cannot be brought to 95 %; measure it again"
        )
    return at_95(interval.half_width, interval.confidence, interval.num_effective_blocks)


def _how(phase: PhaseRecord, component: Component) -> str | None:
    sensor = phase.sensors.get(component)
    return sensor.how if sensor else None


def _checked(recipe: tuple[Stage, ...]) -> tuple[Stage, ...]:
    for at, stage in enumerate(recipe):
        for factor in (stage.num_samples, stage.num_epochs, stage.share):
            if factor is not None and not 0 <= factor <= MOST:
                raise RecordError(f"recipe.{at}: {shown(factor)} is out of range")
    return recipe
