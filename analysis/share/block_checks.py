"""Blocks against each other, and against what hardware can draw and compute."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from analysis.share.finding import Finding, doubtful, wrong
from metering.record import Component, PhaseRecord, Reading, Record
from metering.statistics import rate_interval

COMPONENTS: tuple[Component, ...] = ("gpu", "cpu", "ram")
J_PER_KWH = 3.6e6
POWER_MARGIN = 1.15
SENSOR_PERIOD_S = 0.1
"""A board may exceed its limit for an instant, and its counter lags by a period at each end."""
APART = 2.0
"""CodeCarbon's energy and the suite's own of the same blocks; the meter flags far less."""
LEAST_APART_S = 1.0
"""Within less, a period of a counter at each end may be most of what was read."""
MOST_BOARD_W = 1500.0
MOST_CPU_W = 1000.0
MOST_RAM_W = 500.0
"""Where no limit is known: more than any board, processor package or node's memory draws."""
MOST_PACKAGES = 4
LEAST_BOARD_W = 3.0
"""Per board: less than any idle one."""
MOST_FLOP_PER_S = 2e16
"""Per device: twice the densest low-precision peak that any maker prints today."""
LEAST_MACHINE_W = 0.1
FLOP_PER_MAC = 2
LEAST_BLOCKS = 4
WAIT_MARGIN, LEAST_WAIT_S = 1.05, 0.1
"""What of a wait may belong to the block beside it."""

Parts = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Counted:
    """The measured blocks of a phase, with the energies that count: GPU, CPU and RAM, kWh."""

    blocks: list[Reading]
    energies: list[Parts]
    totals_kwh: list[float | None]

    @staticmethod
    def of(phase: PhaseRecord) -> Counted:
        blocks = [block for block in phase.readings if block.use == "measured"]
        energies = [_preferred(block) for block in blocks]
        totals = []
        for parts in energies:
            known = [kwh for kwh in parts if kwh is not None]
            totals.append(sum(known) if known else None)
        return Counted(blocks, energies, totals)

    def of_part(self, name: Component) -> list[float | None]:
        at = COMPONENTS.index(name)
        return [parts[at] for parts in self.energies]


def _preferred(block: Reading) -> Parts:
    """As `metering.block.preferred`, without a type to validate: a bundle has 100,000 blocks."""
    own, other = block.own, block.energy
    return (
        other.gpu_kwh if own.gpu_kwh is None else own.gpu_kwh,
        other.cpu_kwh if own.cpu_kwh is None else own.cpu_kwh,
        other.ram_kwh if own.ram_kwh is None else own.ram_kwh,
    )


def of_blocks(record: Record, phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    yield from _of_power(record, phase, counted)
    yield from _of_uncounted(record, phase)
    yield from _of_codecarbon(phase, counted)
    yield from _of_speed(record, phase, counted)
    yield from _of_repeats(counted)
    yield from _of_batches(phase, counted)


def least_half_width(known: Sequence[tuple[float, int]], confidence: float) -> float:
    """Of the rate sum(kWh) / sum(samples), were its blocks, or sums of neighbouring blocks,
    independent and many (Cochran 1977, section 6.4, normal quantile); 0 for fewer than two.

    The least over blocks and sums of 2 to a quarter of them, and this suite's own rule: what one
    block of a counter gains its neighbour loses, and what comes and goes within such a sum is no
    noise of the mean."""
    samples = sum(number for _, number in known)
    if len(known) < 2:
        return 0.0
    rate = sum(kwh for kwh, _ in known) / samples
    residuals = [kwh - rate * number for kwh, number in known]
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    sizes = range(1, max(1, len(known) // 4) + 1)
    least = quantile * min(_error_of_sum(residuals, size) for size in sizes) / samples
    ours = rate_interval([kwh for kwh, _ in known], [number for _, number in known], confidence)
    return least if ours is None or ours.half_width is None else min(least, ours.half_width)


def _error_of_sum(residuals: Sequence[float], size: int) -> float:
    """Standard error of the sum of `residuals` from sums of `size` neighbours."""
    sums = [sum(residuals[at : at + size]) for at in range(0, len(residuals) - size + 1, size)]
    middle = sum(sums) / len(sums)
    variance = sum((energy - middle) ** 2 for energy in sums) / (len(sums) - 1)
    return math.sqrt(variance * len(residuals) / size)


def _of_power(record: Record, phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    """Power of each block against what the hardware can draw."""
    limits = _limits_w(record, phase)
    for name, (limit_w, is_known) in limits.items():
        pairs = [
            (kwh * J_PER_KWH, block.duration_s)
            for kwh, block in zip(counted.of_part(name), counted.blocks, strict=True)
            if kwh is not None
        ]
        if not pairs:
            continue
        most_w = max(joules / (seconds + 2 * SENSOR_PERIOD_S) for joules, seconds in pairs)
        if most_w > limit_w * POWER_MARGIN:
            limit = "the limit" if is_known else "what any draws,"
            yield wrong(f"{name.upper()} power of {most_w:.0f} W is above {limit} {limit_w:.0f} W")
        if name == "gpu":
            yield from _of_low_power(pairs, _num_boards(record))
    yield from _of_whole_power(record, counted)


def of_overheads(record: Record) -> Iterator[Finding]:
    """Power of what was spent outside of the windows."""
    for phase in list(record.phases.values())[:1]:
        limits = _limits_w(record, phase)
        for overhead in record.overheads:
            energy = overhead.energy
            parts = (energy.gpu_kwh, energy.cpu_kwh, energy.ram_kwh)
            for fault in _too_much(parts, overhead.duration_s, limits):
                yield wrong(f"overhead {overhead.name}: {fault}")


def _of_uncounted(record: Record, phase: PhaseRecord) -> Iterator[Finding]:
    """Power of the blocks that do not count; one may have been dropped for its power."""
    limits = _limits_w(record, phase)
    for block in phase.readings:
        if block.use == "measured":
            continue
        weigh = doubtful if block.use == "dropped" else wrong
        for energy in (block.own, block.energy):
            parts = (energy.gpu_kwh, energy.cpu_kwh, energy.ram_kwh)
            for fault in _too_much(parts, block.duration_s, limits):
                yield weigh(f"a {block.use} block: {fault}")


def _too_much(
    parts: Parts, seconds: float, limits: dict[Component, tuple[float, bool]]
) -> Iterator[str]:
    for name, kwh in zip(COMPONENTS, parts, strict=True):
        limit_w, _ = limits[name]
        power_w = (kwh or 0.0) * J_PER_KWH / (seconds + 2 * SENSOR_PERIOD_S)
        if power_w > limit_w * POWER_MARGIN:
            yield f"{name.upper()} power of {power_w:.0f} W is above {limit_w:.0f} W"


def _of_codecarbon(phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    """CodeCarbon's reading against the suite's own: the meter flags what is far apart."""
    seconds = sum(block.duration_s for block in counted.blocks)
    if seconds < LEAST_APART_S or any("CodeCarbon" in flag for flag in phase.flags):
        return
    for name, key in (("gpu", "gpu_kwh"), ("cpu", "cpu_kwh")):
        pairs = [(getattr(b.energy, key), getattr(b.own, key)) for b in counted.blocks]
        known = [(other, own) for other, own in pairs if other is not None and own is not None]
        theirs, ours = sum(other for other, _ in known), sum(own for _, own in known)
        if ours > 0 and not ours / APART < theirs < ours * APART:
            ratio = f"{theirs / ours:.3g} x the suite's own"
            yield wrong(f"CodeCarbon's {name.upper()} energy is {ratio}, without a flag")


def _of_low_power(pairs: Sequence[tuple[float, float]], boards: int) -> Iterator[Finding]:
    """GPU energies (J) and times (s) of blocks against what an idle board draws."""
    seen = [(joules, seconds) for joules, seconds in pairs if seconds > 2 * SENSOR_PERIOD_S]
    zeros = sum(joules == 0 for joules, _ in seen)
    if zeros:
        yield wrong(f"GPU energy of 0 in {zeros} of {len(pairs)} blocks: a board that is on draws")
        return
    least_w = min(joules / seconds for joules, seconds in pairs)
    if least_w < LEAST_BOARD_W * boards:
        mean_w = sum(joules for joules, _ in pairs) / sum(seconds for _, seconds in pairs)
        weigh = wrong if mean_w < boards else doubtful
        yield weigh(f"GPU power of {least_w:.2g} W is below an idle board's")


def _of_whole_power(record: Record, counted: Counted) -> Iterator[Finding]:
    """What a whole machine draws, where a whole one was metered."""
    found = record.setup.found
    known = [
        (kwh * J_PER_KWH, block.duration_s)
        for kwh, block in zip(counted.totals_kwh, counted.blocks, strict=True)
        if kwh is not None
    ]
    if not known or found is None or found.scope != "machine":
        return
    mean_w = sum(joules for joules, _ in known) / sum(seconds for _, seconds in known)
    if mean_w < LEAST_MACHINE_W:
        yield wrong(f"{mean_w:.2g} W in all: less than any machine draws")


def _num_boards(record: Record) -> int:
    found = record.setup.found
    return (found.num_devices if found else None) or record.setup.asked.num_devices or 1


def _limits_w(record: Record, phase: PhaseRecord) -> dict[Component, tuple[float, bool]]:
    """Component -> most watts, and whether the record says so."""
    found, boards = record.setup.found, _num_boards(record)
    known = [] if found is None or found.power_limit_w is None else [found.power_limit_w]
    known += [
        state.power_limit_w for state in record.host.gpu_states if state.power_limit_w is not None
    ]
    known += [gpu.board_power_w for gpu in record.host.gpus if gpu.board_power_w is not None]
    board_w = max(known) if known else MOST_BOARD_W
    nodes = phase.num_nodes or boards  # a log of several processes: at most one machine a board
    return {
        "gpu": (board_w * boards, bool(known)),
        "cpu": (MOST_CPU_W * MOST_PACKAGES * nodes, False),
        "ram": (MOST_RAM_W * nodes, False),
    }


def _of_speed(record: Record, phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    """Time against samples, and blocks against each other."""
    blocks = counted.blocks
    seconds, samples = sum(b.duration_s for b in blocks), sum(b.num_samples for b in blocks)
    if record.facts.gmacs is not None and seconds > 0:
        flop = FLOP_PER_MAC * record.facts.gmacs * 1e9 * samples * phase.views_per_sample
        if flop / seconds > MOST_FLOP_PER_S * _num_boards(record):
            yield wrong(f"{flop / seconds:.2g} FLOP a second: no device computes so fast")
    for block in blocks:
        wait_s = block.data_wait_s or 0.0
        if wait_s > WAIT_MARGIN * block.duration_s + LEAST_WAIT_S:
            yield wrong(f"a block of {block.duration_s:.4g} s waited {wait_s:.4g} s for data")
            break
    end = -math.inf
    for block in phase.readings:
        if block.started_at_s < end - 1e-3 - 0.01 * block.duration_s:
            yield wrong("its blocks overlap")
            break
        end = block.started_at_s + block.duration_s


def _of_repeats(counted: Counted) -> Iterator[Finding]:
    """Blocks that are another again, but for when they began: no clock gives that twice."""
    if len(counted.blocks) < 2 or len(counted.blocks) == len(
        {(block.duration_s, parts) for block, parts in zip(*_pairs(counted), strict=True)}
    ):
        return
    same = Counter(repr(replace(block, started_at_s=0.0)) for block in counted.blocks)
    num_repeats = sum(number - 1 for number in same.values())
    if num_repeats:
        weigh = wrong if num_repeats > 1 or len(counted.blocks) == 2 else doubtful
        yield weigh(f"{num_repeats} of {len(counted.blocks)} blocks are another again, to the bit")


def _pairs(counted: Counted) -> tuple[list[Reading], list[Parts]]:
    return counted.blocks, counted.energies


def _of_batches(phase: PhaseRecord, counted: Counted) -> Iterator[Finding]:
    """Samples against steps of a batch each; the last batch of an epoch may be smaller."""
    batch = phase.batch_size
    stepped = [block for block in counted.blocks if block.num_steps]
    if batch is None or not stepped:
        return
    for block in stepped:
        if not block.num_steps <= block.num_samples <= block.num_steps * batch:
            yield wrong(
                f"a block of {block.num_samples} samples cannot be {block.num_steps} steps of "
                f"up to {batch}"
            )
            return
    each = {block.num_samples / block.num_steps for block in stepped}
    if len(each) == 1 and each.pop().is_integer():
        return  # steps of another, equal size: evaluation in batches of one
    odd = sum(block.num_samples % batch != 0 for block in stepped)
    if odd > len(stepped) / 2 and len(stepped) >= LEAST_BLOCKS:
        yield doubtful(
            f"samples are no multiple of the batch size {batch} in {odd} of {len(stepped)} blocks"
        )
