"""A record as what a report needs. Raises nothing: what a record does not say is `None`."""

from __future__ import annotations

from analysis.export.report_facts import Block, Overhead, PhaseFacts, Projection, RunFacts
from analysis.records.accuracy import quality_of
from analysis.records.codecarbon.rows import NO_PHASE, NO_TASK
from analysis.records.codecarbon.to_record import IMPORTED
from metering import catalogue
from metering.block import preferred
from metering.record import PhaseRecord, Reading, Record
from metering.record_host import EmissionFactor

FRAMEWORKS = {
    "classification": "timm",
    "segmentation": "mmsegmentation",
    "action_recognition": "mmaction2",
}
"""Whose network a task builds."""


def run_facts(
    record: Record, projection: Projection | None = None, missing: tuple[str, ...] = ()
) -> RunFacts:
    """missing: why there is no projection."""
    asked, found = record.setup.asked, record.setup.found
    task = None if NO_TASK in record.notes else catalogue.task(asked.task)
    factor = _said_factor(record)
    return RunFacts(
        run_id=record.run_id,
        status=record.status,
        task=asked.task,
        task_title=task.title if task else _title(record),
        sample=task.sample if task else "sample",
        model=asked.model,
        network=asked.network,
        stage=asked.stage,
        dataset=catalogue.display_name(asked.data.name),
        precision=asked.precision,
        scale=asked.scale,
        started_at=record.started_at,
        ended_at=record.ended_at,
        reader=_reader(record),
        scope=found.scope if found else "machine",
        hardware=record.hardware,
        gpu_name=found.device if found else None,
        cpu_model=found.cpu_model if found else None,
        num_devices=(found.num_devices if found else None) or asked.num_devices or 1,
        num_nodes=found.num_nodes if found else asked.num_nodes,
        num_cpus=record.host.num_cpus,
        memory_gib=record.host.memory_gib,
        os=record.host.os,
        python=record.host.python,
        versions=record.host.packages,
        framework=_framework(record),
        params_m=record.facts.params_m,
        gmacs=record.facts.gmacs,
        input_shape=record.facts.input_shape,
        country_iso_code=factor.country_iso_code if factor else None,
        kg_co2eq_per_kwh=factor.kg_co2eq_per_kwh if factor else None,
        factor_source=_factor_source(factor),
        phases=tuple(_phase(record, phase) for phase in record.phases.values()),
        projection=projection,
        projection_missing=missing,
        overheads=_overheads(record),
        failure=_failure(record),
        notes=record.notes,
        phase_note=NO_PHASE if NO_PHASE in record.notes else None,
        has_known_recipe=record.paper_row is not None,
        is_whole=IMPORTED in record.notes or asked.protocol.get("mode") in ("whole", "exec"),
    )


def _framework(record: Record) -> str | None:
    """What built the network, where the record says that it is installed."""
    framework = FRAMEWORKS.get(record.setup.asked.task)
    return framework if framework in record.host.packages else None


def _overheads(record: Record) -> tuple[Overhead, ...]:
    return tuple(
        Overhead(overhead.name, overhead.duration_s, overhead.energy.total_kwh)
        for overhead in record.overheads
    )


def _failure(record: Record) -> str | None:
    """In one line."""
    failure = record.failure
    return f"{failure.type}: {failure.message}".splitlines()[0] if failure else None


def _title(record: Record) -> str:
    """Of a task that no table has: as the user said it, `unknown` where nobody did."""
    task = record.setup.asked.task
    return "unknown" if NO_TASK in record.notes or task == "own" else task


def _reader(record: Record) -> str:
    """`watt-for-what 0.1.0 with CodeCarbon 3.3.2`, or `CodeCarbon 3.0.4` for its own log."""
    found, packages = record.setup.found, record.host.packages
    own = found.reader if found else "watt-for-what"
    codecarbon = f"CodeCarbon {packages.get('codecarbon', '')}".strip()
    if own.startswith("codecarbon"):
        return codecarbon
    version = f"{own} {record.code.version}" if record.code.version else own
    return f"{version} with {codecarbon}" if "codecarbon" in packages else version


def _said_factor(record: Record) -> EmissionFactor | None:
    """None where nobody said in which country the machine stands: then no factor is its own."""
    factor = record.host.emissions
    return factor if factor is not None and factor.country_is_said else None


def _factor_source(factor: EmissionFactor | None) -> str | None:
    if factor is None:
        return None
    year = "" if factor.year is None else f", {factor.year}"
    return f"{factor.source}{year}, {factor.country_iso_code}"


def _phase(record: Record, phase: PhaseRecord) -> PhaseFacts:
    measured = [block for block in phase.readings if block.use == "measured"]
    parts = [preferred(block) for block in measured]
    gpu = _total([part.gpu_kwh for part in parts])
    cpu = _total([part.cpu_kwh for part in parts])
    ram = _total([part.ram_kwh for part in parts])
    rate, pace = phase.energy_kwh_per_sample, phase.duration_s_per_sample
    return PhaseFacts(
        phase=phase.phase,
        num_samples=sum(block.num_samples for block in measured),
        duration_s=sum(block.duration_s for block in measured),
        energy_kwh=_total([gpu, cpu, ram]),
        gpu_kwh=gpu,
        cpu_kwh=cpu,
        ram_kwh=ram,
        kwh_per_sample=rate.mean if rate else None,
        kwh_half_width=(rate.half_width or None) if rate else None,
        s_per_sample=pace.mean if pace else None,
        s_half_width=(pace.half_width or None) if pace else None,
        confidence=rate.confidence if rate else None,
        emissions_kg_co2eq=phase.emissions_kg_co2eq,
        sensors={name: sensor.how for name, sensor in phase.sensors.items()},
        batch_size=phase.batch_size,
        peak_memory_mib=phase.peak_memory_mib,
        idle_power_w=phase.idle_power_w,
        quality=quality_of(record, phase).values,
        flags=phase.flags,
        blocks=tuple(_block(number, block) for number, block in enumerate(phase.readings, 1)),
        started_at=phase.started_at,
        absolute_share=phase.error_budget.absolute if phase.error_budget else None,
    )


def _total(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _block(number: int, block: Reading) -> Block:
    return Block(
        number=number,
        use=block.use,
        reason=block.reason,
        started_at_s=block.started_at_s,
        duration_s=block.duration_s,
        num_steps=block.num_steps,
        num_samples=block.num_samples,
        gpu_kwh=block.energy.gpu_kwh,
        cpu_kwh=block.energy.cpu_kwh,
        ram_kwh=block.energy.ram_kwh,
        own_gpu_kwh=block.own.gpu_kwh,
        own_cpu_kwh=block.own.cpu_kwh,
        own_ram_kwh=block.own.ram_kwh,
        data_wait_s=block.data_wait_s,
        attempt=block.attempt,
    )
