"""A run of other software as a record, so that tables, exports and bundles take it like any other.

One block: the whole log, warm-up included, without an interval. What a log does not say is absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from analysis.records.codecarbon.quantities import SUM_TOLERANCE, Logged
from analysis.records.codecarbon.rows import ForeignRun, run_id_of
from analysis.records.codecarbon.sensors import sensors_of
from analysis.records.emission_factor import LOG_SOURCE
from metering.record import Component, Energy, Interval, PhaseRecord, Reading, Record, Sensor
from metering.record_host import Code, EmissionFactor, Host

IMPORTED = "imported from a CodeCarbon log"


def record_of(runs: Sequence[ForeignRun]) -> Record:
    """The phases of one run, each in `runs` once. Raises `RecordError`, or `ValueError` where a
    number cannot be in a record."""
    first = runs[0]
    logged, logs = first.logged, [run.logged for run in runs]
    notes = dict.fromkeys((IMPORTED, *(note for run in runs for note in run.notes)))
    return Record(
        run_id=run_id_of(first),
        status="finished",
        setup=first.setup,
        paper_row=None,
        hardware=first.facts.hardware or logged.gpu_name or logged.cpu_model or "unknown",
        started_at=_start(min(logs, key=lambda logged: logged.start_s or 0.0)),
        ended_at=max(logs, key=lambda logged: logged.end_s or 0.0).ended_at,
        config={},
        code=Code(),
        host=Host(
            os=logged.os,
            python=logged.python,
            num_cpus=logged.num_cpus,
            memory_gib=logged.memory_gib,
            packages={"codecarbon": logged.version} if logged.version else {},
            emissions=_factor(logged),
        ),
        phases={phase.phase: phase for phase in map(_phase, runs)},
        notes=tuple(notes),
    )


def _phase(run: ForeignRun) -> PhaseRecord:
    logged, samples, batch = run.logged, run.known_samples or 0, run.facts.batch_size
    energy, sensors, flags = _energy(logged)
    block = Reading(
        started_at_s=0.0,
        duration_s=logged.duration_s,
        num_steps=math.ceil(samples / batch) if batch else 0,
        num_samples=samples,
        energy=energy,
    )
    rate = run.kwh_per_sample
    pace = None if rate is None else Interval(logged.duration_s / samples, None, num_blocks=1)
    return PhaseRecord(
        phase="test" if run.phase == "test" else "train",
        readings=(block,),
        sensors=sensors,
        energy_kwh_per_sample=None if rate is None else Interval(rate, None, num_blocks=1),
        duration_s_per_sample=pace,
        stop_reason="end_of_data",
        batch_size=batch,
        num_nodes=logged.num_machines,
        emissions_kg_co2eq=logged.emissions_kg_co2eq,
        flags=(*run.flags, *flags),
        started_at=_start(logged) if logged.start_s is not None else None,
    )


def _energy(logged: Logged) -> tuple[Energy, dict[Component, Sensor], tuple[str, ...]]:
    """The log's parts; its total as that of the device that computed where the parts do not make
    it up (version 1 writes no parts), which a flag says."""
    sensors = sensors_of(logged)
    parts = Energy(logged.gpu_kwh, logged.cpu_kwh, logged.ram_kwh)
    if abs((parts.total_kwh or 0.0) - logged.energy_kwh) <= SUM_TOLERANCE * logged.energy_kwh:
        return parts, sensors, ()
    device: Component = "cpu" if logged.gpu_name is None else "gpu"
    whole: dict[Component, Sensor] = {name: Sensor("absent") for name in sensors}
    whole[device] = Sensor("modelled", f"CodeCarbon {logged.version}".strip(), "total of the log")
    flag = f"the log's total is shown as the {device.upper()}'s: its parts do not make it up"
    if device == "gpu":
        return Energy(gpu_kwh=logged.energy_kwh), whole, (flag,)
    return Energy(cpu_kwh=logged.energy_kwh), whole, (flag,)


def _factor(logged: Logged) -> EmissionFactor | None:
    """The factor that the log's own emissions and energy give."""
    if logged.country_iso_code is None or logged.emissions_kg_co2eq is None:
        return None
    factor = logged.emissions_kg_co2eq / logged.energy_kwh
    return EmissionFactor(logged.country_iso_code, factor, source=LOG_SOURCE, is_said=True)


def _start(logged: Logged) -> str:
    """On the machine's clock: a log has no zone."""
    try:
        ended = datetime.fromisoformat(logged.ended_at)
    except ValueError:
        return logged.ended_at
    return (ended - timedelta(seconds=logged.duration_s)).isoformat(timespec="milliseconds")
