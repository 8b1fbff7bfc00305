"""Whether one record can be believed: what its own numbers say of each other.

*Wrong*: it cannot be as it says. *Doubtful*: it may be, and a reader should know. A record without
either is believable, which does not make it true: see `BLIND`.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from analysis.records.codecarbon.energy_faults import energy_fault
from analysis.records.emission_factor import is_possible
from analysis.share.block_checks import (
    COMPONENTS,
    MOST_BOARD_W,
    Counted,
    least_half_width,
    of_blocks,
    of_overheads,
)
from analysis.share.finding import Finding, Weight, doubtful, time_hint, unit_hint, wrong
from analysis.share.second_path_checks import of_second_path
from analysis.share.selection_checks import of_selection
from metering.record import PhaseRecord, Record

SUM_TOLERANCE = 0.01
"""A rate is the sum of its readings over their samples, but for rounding."""
NARROW = 0.5
"""An interval under this share of what its readings give was not made from them."""
CLOCK_SLACK_S = 5.0
FUTURE_SLACK = timedelta(days=1)
"""Zones of clocks differ by no more."""
LONGEST = timedelta(days=366)
HARMLESS_FLAGS = (
    "test batches of",
    "steps kept time",
    "pue ",
    "flushed: ",
    "tasks that are not in the rate",
)
"""How flags begin that tell how it was measured and cast no doubt on it."""
_NOT_READ = ("absent",)

BLIND = (
    "No check can find: all readings, the boards' integrated power and the rate changed by one "
    "factor that stays within power and time; a sensor's own gain error; another network, data set "
    "or batch size than is named; another board of the same limit; an accuracy that was not "
    "reached; work of others on the same machine that no flag tells."
)


def findings(record: Record) -> list[Finding]:
    """What is wrong with, or doubtful of, one record that its schema accepts."""
    suspicions = [*_of_times(record), *of_overheads(record), *_of_setup(record)]
    if record.status != "finished":
        how = "was interrupted" if record.status == "interrupted" else record.status
        suspicions.append(Finding("doubtful", f"the run {how}: it is no result"))
    for phase in record.phases.values():
        counted = Counted.of(phase)
        suspicions += (
            Finding(finding.weight, f"{phase.phase}: {finding.reason}")
            for finding in (
                *_of_rate(phase, counted),
                *_of_parts(record, phase, counted),
                *of_blocks(record, phase, counted),
                *of_second_path(phase, counted),
                *of_selection(record, phase),
                *_of_emissions(record, phase, counted),
                *_of_quality(phase),
                *_of_flags(phase),
            )
        )
    return suspicions


def _of_setup(record: Record) -> Iterator[Finding]:
    """What the set-up says of its boards and batches, against what was metered."""
    found, boards = record.setup.found, record.host.gpus
    metered = found.num_devices if found is not None else None
    if boards and metered is not None and len(boards) != metered:
        yield wrong(f"{metered} GPUs are said to be metered, and {len(boards)} boards are listed")
    limits = [] if found is None or found.power_limit_w is None else [found.power_limit_w]
    limits += [
        state.power_limit_w for state in record.host.gpu_states if state.power_limit_w is not None
    ]
    limits += [board.board_power_w for board in boards if board.board_power_w is not None]
    if limits and max(limits) > MOST_BOARD_W:
        yield wrong(f"a power limit of {max(limits):.4g} W is no board's")
    device = found.device if found is not None else None
    names = {board.name for board in boards}
    are_mixed = device is not None and " x " in device and all(name in device for name in names)
    if names and device and device not in names and not are_mixed:
        listed = ", ".join(sorted(names))
        yield wrong(f"{device} is said to be metered, and {listed} is listed")
    yield from _of_power_limit(record)
    train = record.phases.get("train")
    sizes = {record.batch_size, train.batch_size if train else None} - {None}
    if train is not None and len(sizes) > 1:
        problem = f"trained in batches of {train.batch_size}"
        yield doubtful(f"{problem}, and {record.batch_size} were asked for")


def _of_power_limit(record: Record) -> Iterator[Finding]:
    """The limit that tells set-ups apart, against what the boards themselves said."""
    found, uuids = record.setup.found, {board.uuid for board in record.host.gpus}
    if found is None or found.power_limit_w is None or record.setup.asked.power_limit_w is not None:
        return
    told = [
        state.power_limit_w
        for state in record.host.gpu_states
        if state.uuid in uuids and state.power_limit_w is not None
    ]
    if told and all(abs(limit - found.power_limit_w) > 1 for limit in told):
        yield doubtful(
            f"a power limit of {found.power_limit_w:g} W, and the boards told {max(told):g} W"
        )


def _of_rate(phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    """Readings against rate, pace and interval."""
    blocks = counted.blocks
    rate, pace = phase.energy_kwh_per_sample, phase.duration_s_per_sample
    if rate is None:
        yield Finding("doubtful", "no rate")
        return
    numbers = [block.num_samples for block in blocks]
    known = [
        (kwh, number)
        for kwh, number in zip(counted.totals_kwh, numbers, strict=True)
        if kwh is not None
    ]
    samples = sum(number for _, number in known)
    if not known or not samples:
        yield wrong("a rate, and no reading that it could come from")
        return
    of_readings = sum(kwh for kwh, _ in known) / samples
    if abs(rate.mean - of_readings) > SUM_TOLERANCE * of_readings:
        yield wrong(
            f"the rate is {rate.mean / of_readings:.3g} x what its readings add up to "
            f"({of_readings:.4g} kWh per sample)" + unit_hint(rate.mean / of_readings)
        )
    is_told = rate.num_blocks > 1 or (rate.half_width is not None and rate.num_blocks > 0)
    if is_told and rate.num_blocks not in (len(known), len(blocks)):
        yield wrong(f"the rate is of {rate.num_blocks} blocks, and {len(blocks)} were measured")
    least = least_half_width(known, rate.confidence)
    if rate.half_width is not None and rate.half_width < NARROW * least:
        share = rate.half_width / least
        yield wrong(f"the interval is {share:.2g} x the least that its readings allow")
    if pace is not None:
        seconds = sum(b.duration_s for b in blocks) / (sum(b.num_samples for b in blocks) or 1)
        if abs(pace.mean - seconds) > SUM_TOLERANCE * seconds:
            share = pace.mean / seconds
            yield wrong(
                f"seconds per sample are {share:.3g} x those of its readings" + time_hint(share)
            )


def _of_parts(record: Record, phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    """Sensors against what was read by them."""
    for name in COMPONENTS:
        sensor = phase.sensors.get(name)
        how = sensor.how if sensor else "absent"
        energies = counted.of_part(name)
        has = any(kwh is not None for kwh in energies)
        if how == "absent" and has:
            yield wrong(f"{name.upper()} energy, and no sensor that read it")
        if how != "absent" and energies and not has:
            yield wrong(f"{name.upper()} read by {how}, and no reading of it")
        if has and any(kwh is None for kwh in energies):
            yield Finding("doubtful", f"{name.upper()} energy is missing in some blocks")
    found = record.setup.found
    gpu = phase.sensors.get("gpu")
    if found is not None and found.device and (gpu is None or gpu.how in _NOT_READ):
        yield wrong(f"it computed on {found.device}, whose energy was not read")
    if found is not None and found.device and gpu is not None and gpu.how == "modelled":
        yield Finding("doubtful", "the GPU's energy is modelled, not read")


def _of_emissions(record: Record, phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    factor = record.host.emissions.kg_co2eq_per_kwh if record.host.emissions else None
    if factor is None and phase.emissions_kg_co2eq:
        yield doubtful("emissions, and no factor that they could come from")
    known = [kwh for kwh in counted.totals_kwh if kwh is not None]
    if factor is None:
        return
    if not is_possible(factor):
        yield wrong(f"{1000 * factor:.4g} g CO2eq per kWh is no supply's factor (0.5 to 1,500)")
    if phase.emissions_kg_co2eq is None or not known:
        return
    expected = factor * sum(known)
    if abs(phase.emissions_kg_co2eq - expected) > SUM_TOLERANCE * expected:
        ratio = phase.emissions_kg_co2eq / expected if expected else math.inf
        hint = unit_hint(ratio, ("g taken for kg", "kg taken for t"))
        yield wrong(f"its emissions are {ratio:.3g} x its energy times its factor{hint}")


def _of_quality(phase: PhaseRecord) -> Iterator[Finding]:
    for name, value in phase.quality.items():
        if name.endswith("_pct") and not 0 <= value <= 100:
            yield wrong(f"{name} is {value}")
    top1, top5 = phase.quality.get("top1_pct"), phase.quality.get("top5_pct")
    if top1 is not None and top5 is not None and top1 > top5:
        yield wrong(f"top1_pct of {top1:.4g} is above top5_pct of {top5:.4g}")


def casts_doubt(flag: str) -> bool:
    """Whether a flag casts doubt on its rate; some tell only how it was measured."""
    return not flag.startswith(HARMLESS_FLAGS) or energy_fault([flag]) is not None


def _of_flags(phase: PhaseRecord) -> Iterator[Finding]:
    for flag in phase.flags:
        if casts_doubt(flag):
            yield Finding("doubtful", f"flag: {flag}")


def _of_times(record: Record) -> Iterator[Finding]:
    """Start and end against all that was done between them."""
    try:
        start = datetime.fromisoformat(record.started_at)
        span = datetime.fromisoformat(record.ended_at) - start
    except (ValueError, TypeError):
        yield Finding("doubtful", "its start or end is no time")
        return
    if span.total_seconds() < 0:
        yield wrong(f"it ended {-span.total_seconds():.4g} s before it started")
        return
    now = datetime.now(UTC) if start.tzinfo else datetime.now()
    if start - FUTURE_SLACK > now:
        yield wrong(f"it started at {record.started_at}, which is in the future")
    if span > LONGEST:
        yield wrong(f"it ran for {span.days} days")
    yield from _of_starts(record)
    blocks = [block for phase in record.phases.values() for block in phase.readings]
    read_s = sum(block.duration_s for block in blocks if block.attempt is None)
    ran_s = span.total_seconds()
    if read_s > ran_s + CLOCK_SLACK_S:
        yield wrong(f"its blocks take {read_s:.4g} s, and it ran for {ran_s:.4g} s")
        return
    beside_s = sum(
        overhead.duration_s for overhead in record.overheads if " attempt of " not in overhead.name
    )
    if read_s + beside_s > ran_s + CLOCK_SLACK_S:
        problem = f"its blocks and overheads take {read_s + beside_s:.4g} s"
        yield wrong(f"{problem}, and it ran for {ran_s:.4g} s")


def _of_starts(record: Record) -> Iterator[Finding]:
    """Each phase begins within the run."""
    for phase in record.phases.values():
        if phase.started_at is None or any(block.attempt for block in phase.readings):
            continue  # an earlier attempt's began before this run
        with contextlib.suppress(ValueError, TypeError):
            since = datetime.fromisoformat(phase.started_at) - datetime.fromisoformat(
                record.started_at
            )
            left = datetime.fromisoformat(record.ended_at) - datetime.fromisoformat(
                phase.started_at
            )
            if min(since.total_seconds(), left.total_seconds()) < -CLOCK_SLACK_S:
                yield wrong(f"{phase.phase}: it began at {phase.started_at}, outside of the run")


def worst(suspicions: Sequence[Finding]) -> Weight | None:
    """The heaviest; None where nothing was found."""
    weights = {finding.weight for finding in suspicions}
    return "wrong" if "wrong" in weights else ("doubtful" if weights else None)
