"""What a run would cost, before it runs: from earlier records, else from published numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from launchers.published_cost import published_rate
from metering.record import FILE_NAME, PhaseRecord, Record, RecordError
from metering.record_file import read, summary_from_json
from metering.sensors.nvml import GpuError, MaskError, job_gpus
from metering.setup import Asked, identity
from tasks.plan import Plan

IDENTITY_DIGITS = 16
AMD_DRIVER = Path("/dev/kfd")
EARLIER = "an earlier record of the same set-up"
OTHER_METER = "the rate of an earlier record of the same set-up, measured under another meter"
PUBLISHED = "the paper's published kWh, on its hardware"
AT_MOST_DURATION = "at most, meter.time_budget_s"
AT_MOST = "at most, published board power x meter.time_budget_s"
AT_MOST_MEASURED = "at most, the power of an earlier record x meter.time_budget_s"
UNKNOWN = "nothing known"


@dataclass(frozen=True)
class Cost:
    """Of one run's measured windows; None where nothing is known. duration_s: of the run;
    gpu_hours: of all its GPUs, 0 on the CPU; source: one of the sentences above."""

    duration_s: float | None
    gpu_hours: float | None
    energy_kwh: float | None
    source: str


def cost(plan: Plan, is_here: bool = False) -> Cost:
    """The best that is known of `plan`. is_here: it would be run on this machine, which may have
    no GPU for it."""
    known = _cost(plan)
    return dataclasses.replace(known, gpu_hours=0.0) if is_here and _takes_cpu(plan) else known


def _takes_cpu(plan: Plan) -> bool:
    """Whether `hardware.accelerator=auto` finds no GPU on this machine."""
    if plan.hardware.accelerator != "auto" or plan.hardware.gpu is not None:
        return False
    try:
        return not job_gpus() and not AMD_DRIVER.exists()
    except (GpuError, MaskError):
        return False


def _cost(plan: Plan) -> Cost:
    for record in _finished(_known(plan).of_identity.get(plan.identity, ())):
        parts = _phases_of(record, plan)
        if parts is not None:
            return _sum([_of_phase(part, plan) for part in parts], EARLIER, plan, record)
    other = _under_another_meter(plan)
    num_samples = _num_samples(plan)
    if num_samples is None:
        return _at_most(plan, other)
    if other is not None:
        parts = _phases_of(other, plan) or []
        return _sum([_of_phase(part, plan) for part in parts], OTHER_METER, plan, other)
    rates = [published_rate(plan, phase) for phase in plan.phases]
    known = [rate for rate in rates if rate is not None]
    if plan.scale == "full" and len(known) == len(rates):
        return Cost(None, _gpu_hours(plan, None), sum(known) * num_samples, PUBLISHED)
    return Cost(None, _gpu_hours(plan, None), None, UNKNOWN)


def _at_most(plan: Plan, measured: Record | None) -> Cost:
    """Of a meter that decides while it measures when it has enough."""
    duration_s = plan.meter.time_budget_s * len(plan.phases)
    gpu_hours = _gpu_hours(plan, duration_s, measured)
    if measured is not None:
        parts = _phases_of(measured, plan) or []
        powers_kw = [_kwh_per_s(part) for part in parts]
        known = [power for power in powers_kw if power is not None]
        if len(known) == len(plan.phases):
            energy_kwh = sum(known) * plan.meter.time_budget_s
            return Cost(duration_s, gpu_hours, energy_kwh, AT_MOST_MEASURED)
    board_power_w = plan.hardware.board_power_w
    if board_power_w is None or not gpu_hours:
        return Cost(duration_s, gpu_hours, None, AT_MOST_DURATION)
    return Cost(duration_s, gpu_hours, gpu_hours * board_power_w / 1000, AT_MOST)


def _num_samples(plan: Plan) -> int | None:
    """Of one phase; None where the meter decides while it measures."""
    if plan.meter.mode == "adaptive":
        return None
    return ((plan.meter.num_steps or 0) + plan.meter.num_warmup_steps) * plan.batch_size


def _gpu_hours(
    plan: Plan, duration_s: float | None, measured: Record | None = None
) -> float | None:
    """None where the duration is not known; a record says whether a GPU computed."""
    machine = None if measured is None else measured.setup.found
    on_cpu = plan.hardware.accelerator == "cpu" or (machine is not None and machine.device is None)
    if on_cpu:
        return 0.0
    return None if duration_s is None else duration_s / 3600 * plan.hardware.num_ranks


def _under_another_meter(plan: Plan) -> Record | None:
    """The newest record of the same set-up but for the protocol."""
    paths = _known(plan).without_protocol.get(_without_protocol(plan.asked), ())
    return next((record for record in _finished(paths) if _phases_of(record, plan)), None)


def _without_protocol(asked: Asked) -> str:
    return identity(dataclasses.replace(asked, protocol={}))


@dataclass(frozen=True)
class _Known:
    """Paths of the finished records beside each other: by the identity that names their folders,
    and by the identity that they would have without a protocol."""

    of_identity: Mapping[str, Sequence[Path]]
    without_protocol: Mapping[str, Sequence[Path]]


def _known(plan: Plan) -> _Known:
    """Of its network, on its hardware."""
    folder = plan.folder.parent
    try:
        return _known_in(folder, folder.stat().st_mtime_ns)
    except OSError:
        return _Known({}, {})


@lru_cache(maxsize=256)
def _known_in(folder: Path, _mtime_ns: int) -> _Known:
    """Looked through once for all runs of a sweep: each run would else read each record."""
    of_identity: dict[str, list[Path]] = {}
    without_protocol: dict[str, list[Path]] = {}
    for path in folder.glob(f"*/{FILE_NAME}"):
        try:
            record, _ = summary_from_json(path.read_bytes())
        except (OSError, RecordError):
            continue
        if record.status == "finished":
            of_identity.setdefault(path.parent.name[:IDENTITY_DIGITS], []).append(path)
            bare = _without_protocol(record.setup.asked)
            without_protocol.setdefault(bare, []).append(path)
    return _Known(of_identity, without_protocol)


def _finished(paths: Iterable[Path]) -> Iterator[Record]:
    """Finished records, the newest first; an unreadable file tells nothing of the cost."""
    records = []
    for path in paths:
        try:
            records.append(_read(path, path.stat().st_mtime_ns))
        except (OSError, RecordError):
            continue
    finished = [record for record in records if record.status == "finished"]
    return iter(sorted(finished, key=lambda record: record.ended_at, reverse=True))


@lru_cache(maxsize=256)
def _read(path: Path, _mtime_ns: int) -> Record:
    """Read once for all runs of a sweep."""
    return read(path)


def _phases_of(record: Record, plan: Plan) -> list[PhaseRecord] | None:
    """Every phase of the plan with its rate of samples; None where one is missing."""
    phases = [phase for name, phase in record.phases.items() if name in plan.phases]
    rates = [phase.duration_s_per_sample for phase in phases]
    complete = all(rate is not None and rate.mean > 0 for rate in rates)
    return phases if complete and len(phases) == len(plan.phases) else None


def _kwh_per_s(phase: PhaseRecord) -> float | None:
    energy, duration = phase.energy_kwh_per_sample, phase.duration_s_per_sample
    return None if energy is None or duration is None else energy.mean / duration.mean


def _of_phase(phase: PhaseRecord, plan: Plan) -> tuple[float, float | None]:
    """Seconds and kWh that this phase would take under the plan's meter."""
    num_samples, rate = _num_samples(plan), phase.duration_s_per_sample
    if num_samples is not None and rate is not None:
        seconds = rate.mean * num_samples
    else:  # as long as it took then, and never longer than it may take now
        seconds = sum(block.duration_s for block in phase.readings)
        seconds = min(seconds, plan.meter.time_budget_s)
    power = _kwh_per_s(phase)
    return seconds, None if power is None else power * seconds


def _sum(parts: list[tuple[float, float | None]], source: str, plan: Plan, record: Record) -> Cost:
    duration_s = sum(seconds for seconds, _ in parts)
    energies = [kwh for _, kwh in parts if kwh is not None]
    energy_kwh = sum(energies) if len(energies) == len(parts) else None
    return Cost(duration_s, _gpu_hours(plan, duration_s, record), energy_kwh, source)
