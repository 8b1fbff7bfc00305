"""Whether one record can be believed: what its own numbers say of each other.

*Wrong*: it cannot be as it says. *Doubtful*: it may be, and a reader should know. A record without
either is believable, which does not make it true: see `BLIND`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import Literal

from analysis.records.emission_factor import is_possible
from metering.block import preferred
from metering.record import Component, PhaseRecord, Reading, Record

Weight = Literal["wrong", "doubtful"]
SUM_TOLERANCE = 0.01
"""A rate is the sum of its readings over their samples, but for rounding."""
NARROW = 0.5
"""An interval under this share of what its readings give was not made from them."""
POWER_MARGIN = 1.15
SENSOR_PERIOD_S = 0.1
"""A board may exceed its limit for an instant, and its counter lags by a period at each end."""
MOST_BOARD_W = 1500.0
MOST_CPU_W = 1000.0
MOST_RAM_W = 500.0
"""Where no limit is known: more than any board, processor package or node's memory draws."""
MOST_PACKAGES = 4
LEAST_BOARD_W = 3.0
"""Per board: less than any idle one."""
MOST_FLOP_PER_S = 2e16
"""Per device: twice the densest low-precision peak that any maker prints today."""
CLOCK_SLACK_S = 5.0
FLOP_PER_MAC = 2
HARMLESS_FLAGS = ("test batches of", "steps kept time", "pue ", "flushed: ")
"""How flags begin that tell how it was measured and cast no doubt on it."""
_NOT_READ = ("absent",)

BLIND = (
    "No check can find: all readings and the rate changed by one factor that stays within power "
    "and time; a sensor's own gain error; another network, data set or batch size than is named; "
    "another board of the same limit; an accuracy that was not reached; work of others on the "
    "same machine that no flag tells."
)


@dataclass(frozen=True)
class Finding:
    weight: Weight
    what: str


def findings(record: Record) -> list[Finding]:
    """What is wrong with, or doubtful of, one record that its schema accepts."""
    found = list(_of_times(record))
    if record.status != "finished":
        found.append(Finding("doubtful", f"the run {record.status}: it is no result"))
    for phase in record.phases.values():
        found += (
            Finding(one.weight, f"{phase.phase}: {one.what}")
            for one in (
                *_of_rate(phase),
                *_of_parts(record, phase),
                *_of_power(record, phase),
                *_of_speed(record, phase),
                *_of_emissions(record, phase),
                *_of_quality(phase),
                *_of_flags(phase),
            )
        )
    return found


def _wrong(what: str) -> Finding:
    return Finding("wrong", what)


def counted(phase: PhaseRecord) -> list[Reading]:
    return [block for block in phase.readings if block.use == "measured"]


def _of_rate(phase: PhaseRecord) -> Iterator[Finding]:
    """Readings against rate, pace and interval."""
    blocks = counted(phase)
    rate, pace = phase.energy_kwh_per_sample, phase.duration_s_per_sample
    if rate is None:
        yield Finding("doubtful", "no rate")
        return
    totals = [(preferred(block).total_kwh, block.num_samples) for block in blocks]
    known = [(kwh, number) for kwh, number in totals if kwh is not None]
    samples = sum(number for _, number in known)
    if not known or not samples:
        yield _wrong("a rate, and no reading that it could come from")
        return
    of_readings = sum(kwh for kwh, _ in known) / samples
    if abs(rate.mean - of_readings) > SUM_TOLERANCE * of_readings:
        yield _wrong(
            f"the rate is {rate.mean / of_readings:.3g} x what its readings add up to "
            f"({of_readings:.4g} kWh per sample)"
        )
    least = least_half_width(known, rate.confidence)
    if rate.half_width is not None and rate.half_width < NARROW * least:
        share = rate.half_width / least
        yield _wrong(f"the interval is {share:.2g} x the least that its readings allow")
    if pace is not None:
        seconds = sum(b.duration_s for b in blocks) / (sum(b.num_samples for b in blocks) or 1)
        if abs(pace.mean - seconds) > SUM_TOLERANCE * seconds:
            share = pace.mean / seconds
            yield _wrong(f"seconds per sample are {share:.3g} x those of its readings")


def least_half_width(known: Sequence[tuple[float, int]], confidence: float) -> float:
    """Of the rate sum(kWh) / sum(samples), were its blocks, or sums of neighbouring blocks,
    independent and many (Cochran 1977, section 6.4, normal quantile); 0 for fewer than two.

    The least over blocks and sums of 2 to a quarter of them: what one block of a counter gains its
    neighbour loses, and what comes and goes within such a sum is no noise of the mean."""
    samples = sum(number for _, number in known)
    if len(known) < 2:
        return 0.0
    rate = sum(kwh for kwh, _ in known) / samples
    residuals = [kwh - rate * number for kwh, number in known]
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    sizes = range(1, max(1, len(known) // 4) + 1)
    return quantile * min(_error_of_sum(residuals, size) for size in sizes) / samples


def _error_of_sum(residuals: Sequence[float], size: int) -> float:
    """Standard error of the sum of `residuals` from sums of `size` neighbours."""
    sums = [sum(residuals[at : at + size]) for at in range(0, len(residuals) - size + 1, size)]
    middle = sum(sums) / len(sums)
    variance = sum((one - middle) ** 2 for one in sums) / (len(sums) - 1)
    return math.sqrt(variance * len(residuals) / size)


def _of_parts(record: Record, phase: PhaseRecord) -> Iterator[Finding]:
    """Sensors against what was read by them."""
    blocks = counted(phase)
    components: tuple[Component, ...] = ("gpu", "cpu", "ram")
    for name in components:
        sensor = phase.sensors.get(name)
        how = sensor.how if sensor else "absent"
        energies = [getattr(preferred(block), f"{name}_kwh") for block in blocks]
        has = any(kwh is not None for kwh in energies)
        if how == "absent" and has:
            yield _wrong(f"{name.upper()} energy, and no sensor that read it")
        if how != "absent" and blocks and not has:
            yield _wrong(f"{name.upper()} read by {how}, and no reading of it")
        if has and any(kwh is None for kwh in energies):
            yield Finding("doubtful", f"{name.upper()} energy is missing in some blocks")
    found = record.setup.found
    gpu = phase.sensors.get("gpu")
    if found is not None and found.device and (gpu is None or gpu.how in _NOT_READ):
        yield _wrong(f"it computed on {found.device}, whose energy was not read")
    if found is not None and found.device and gpu is not None and gpu.how == "modelled":
        yield Finding("doubtful", "the GPU's energy is modelled, not read")


def _of_power(record: Record, phase: PhaseRecord) -> Iterator[Finding]:
    """Power of each block against what the hardware can draw."""
    limits = _limits_w(record, phase)
    for name, (limit_w, is_known) in limits.items():
        worst, least = 0.0, math.inf
        for block in counted(phase):
            kwh = getattr(preferred(block), f"{name}_kwh")
            if kwh is None:
                continue
            joules = kwh * 3.6e6
            worst = max(worst, joules / (block.duration_s + 2 * SENSOR_PERIOD_S))
            least = min(least, joules / block.duration_s)
        if worst > limit_w * POWER_MARGIN:
            whose = "the limit" if is_known else "what any draws,"
            yield _wrong(f"{name.upper()} power of {worst:.0f} W is above {whose} {limit_w:.0f} W")
        if name == "gpu" and least < LEAST_BOARD_W * _num_boards(record):
            yield Finding("doubtful", f"GPU power of {least:.2g} W is below an idle board's")


def _num_boards(record: Record) -> int:
    found = record.setup.found
    return (found.num_devices if found else None) or record.setup.asked.num_devices or 1


def _limits_w(record: Record, phase: PhaseRecord) -> dict[str, tuple[float, bool]]:
    """Component -> most watts, and whether the record says so."""
    found, boards = record.setup.found, _num_boards(record)
    known = [] if found is None or found.power_limit_w is None else [found.power_limit_w]
    known += [one.power_limit_w for one in record.host.gpu_states if one.power_limit_w is not None]
    known += [one.board_power_w for one in record.host.gpus if one.board_power_w is not None]
    board_w = max(known) if known else MOST_BOARD_W
    return {
        "gpu": (board_w * boards, bool(known)),
        "cpu": (MOST_CPU_W * MOST_PACKAGES * phase.num_nodes, False),
        "ram": (MOST_RAM_W * phase.num_nodes, False),
    }


def _of_speed(record: Record, phase: PhaseRecord) -> Iterator[Finding]:
    """Time against samples, and blocks against each other."""
    blocks = counted(phase)
    seconds, samples = sum(b.duration_s for b in blocks), sum(b.num_samples for b in blocks)
    if record.facts.gmacs is not None and seconds > 0:
        flop = FLOP_PER_MAC * record.facts.gmacs * 1e9 * samples * phase.views_per_sample
        if flop / seconds > MOST_FLOP_PER_S * _num_boards(record):
            yield _wrong(f"{flop / seconds:.2g} FLOP a second: no device computes so fast")
    end = -math.inf
    for block in phase.readings:
        if block.started_at_s < end - 1e-3 - 0.01 * block.duration_s:
            yield _wrong("its blocks overlap")
            break
        end = block.started_at_s + block.duration_s


def _of_emissions(record: Record, phase: PhaseRecord) -> Iterator[Finding]:
    factor = record.host.emissions.kg_co2eq_per_kwh if record.host.emissions else None
    totals = [preferred(block).total_kwh for block in counted(phase)]
    known = [kwh for kwh in totals if kwh is not None]
    if factor is None:
        return
    if not is_possible(factor):
        yield _wrong(f"{1000 * factor:.4g} g CO2eq per kWh is no supply's factor (0.5 to 1,500)")
    if phase.emissions_kg_co2eq is None or not known:
        return
    expected = factor * sum(known)
    if abs(phase.emissions_kg_co2eq - expected) > SUM_TOLERANCE * expected:
        ratio = phase.emissions_kg_co2eq / expected if expected else math.inf
        yield _wrong(f"its emissions are {ratio:.3g} x its energy times its factor")


def _of_quality(phase: PhaseRecord) -> Iterator[Finding]:
    for name, value in phase.quality.items():
        if name.endswith("_pct") and not 0 <= value <= 100:
            yield _wrong(f"{name} is {value}")


def _of_flags(phase: PhaseRecord) -> Iterator[Finding]:
    for flag in phase.flags:
        if not flag.startswith(HARMLESS_FLAGS):
            yield Finding("doubtful", f"flag: {flag}")


def _of_times(record: Record) -> Iterator[Finding]:
    """Start and end against all that was done between them."""
    try:
        span = datetime.fromisoformat(record.ended_at) - datetime.fromisoformat(record.started_at)
    except (ValueError, TypeError):
        yield Finding("doubtful", "its start or end is no time")
        return
    read_s = sum(b.duration_s for phase in record.phases.values() for b in phase.readings)
    if read_s > span.total_seconds() + CLOCK_SLACK_S:
        yield _wrong(f"its blocks take {read_s:.4g} s, and it ran for {span.total_seconds():.4g} s")


def worst(found: Sequence[Finding]) -> Weight | None:
    """The heaviest; None where nothing was found."""
    weights = {one.weight for one in found}
    return "wrong" if "wrong" in weights else ("doubtful" if weights else None)
