"""Faults that may be planted in a record, and the words by which `check` names each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from metering.record import Energy, Interval, Overhead, PhaseRecord, Reading, Record, Sensor
from metering.record_host import EmissionFactor, MeteredGpu
from tests.analysis.share.sites import with_rate_times


def with_train(record: Record, change: Callable[[PhaseRecord], PhaseRecord]) -> Record:
    return replace(record, phases={**record.phases, "train": change(record.phases["train"])})


def blocks(change: Callable[[Reading], Reading]) -> Callable[[Record], Record]:
    return lambda record: with_train(
        record, lambda phase: replace(phase, readings=tuple(map(change, phase.readings)))
    )


def without_gpu(block: Reading) -> Reading:
    return replace(block, energy=replace(block.energy, gpu_kwh=None), own=Energy())


def scaled(phase: PhaseRecord, factor: float) -> PhaseRecord:
    """Rate and readings alike: only the board's limit betrays it."""
    rate = phase.energy_kwh_per_sample
    assert rate is not None
    assert rate.half_width is not None

    def more(energy: Energy) -> Energy:
        parts = (energy.gpu_kwh, energy.cpu_kwh, energy.ram_kwh)
        return Energy(*(None if part is None else part * factor for part in parts))

    readings = tuple(replace(b, energy=more(b.energy), own=more(b.own)) for b in phase.readings)
    scaled = Interval(rate.mean * factor, rate.half_width * factor)
    emissions = (phase.emissions_kg_co2eq or 0.0) * factor
    return replace(
        phase, readings=readings, energy_kwh_per_sample=scaled, emissions_kg_co2eq=emissions
    )


def narrowed(phase: PhaseRecord) -> PhaseRecord:
    rate = phase.energy_kwh_per_sample
    assert rate is not None
    return replace(phase, energy_kwh_per_sample=replace(rate, half_width=rate.mean * 1e-5))


def gpu_times(factor: float) -> Callable[[Reading], Reading]:
    def change(block: Reading) -> Reading:
        gpu, own = block.energy.gpu_kwh or 0.0, block.own.gpu_kwh or 0.0
        return replace(
            block,
            energy=replace(block.energy, gpu_kwh=gpu * factor),
            own=replace(block.own, gpu_kwh=own * factor),
        )

    return change


def repeated(phase: PhaseRecord) -> PhaseRecord:
    """Its last ten blocks are the ten before again, at their own times."""
    kept = phase.readings[:-10]
    again = [
        replace(block, started_at_s=late.started_at_s)
        for block, late in zip(kept[-10:], phase.readings[-10:], strict=True)
    ]
    return replace(phase, readings=(*kept, *again))


def with_limit(record: Record, limit_w: float) -> MeteredGpu:
    [board] = record.host.gpus
    return replace(board, board_power_w=limit_w)


def in_ms(phase: PhaseRecord) -> PhaseRecord:
    pace = phase.duration_s_per_sample
    assert pace is not None
    return replace(phase, duration_s_per_sample=replace(pace, mean=pace.mean * 1000))


FAULTS: dict[str, tuple[Callable[[Record], Record], str]] = {
    "rate": (lambda r: with_rate_times(r, 10), "the rate is 10 x what its readings add up to"),
    "rate down": (lambda r: with_rate_times(r, 0.9), "the rate is 0.9 x"),
    "readings": (blocks(lambda b: replace(b, num_samples=b.num_samples * 2)), "the rate is 2 x"),
    "power": (lambda r: with_train(r, lambda p: scaled(p, 3)), "above the limit"),
    "no gpu": (blocks(without_gpu), "GPU read by counter, and no reading of it"),
    "sensor": (
        lambda r: with_train(
            r, lambda p: replace(p, sensors={**p.sensors, "gpu": Sensor("absent")})
        ),
        "GPU energy, and no sensor that read it",
    ),
    "interval": (lambda r: with_train(r, narrowed), "the least that its readings allow"),
    "emissions": (
        lambda r: with_train(r, lambda p: replace(p, emissions_kg_co2eq=1.0)),
        "its energy times its factor",
    ),
    "time": (lambda r: replace(r, ended_at=r.started_at), "and it ran for 0 s"),
    "overlap": (blocks(lambda b: replace(b, started_at_s=0.0)), "its blocks overlap"),
    "reversed": (
        lambda r: replace(r, started_at=r.ended_at, ended_at=r.started_at),
        "it ended 180 s before it started",
    ),
    "phase outside": (
        lambda r: with_train(r, lambda p: replace(p, started_at="2020-01-01T00:00:00+00:00")),
        "train: it began at 2020-01-01T00:00:00+00:00, outside of the run",
    ),
    "blocks reversed": (
        lambda r: with_train(r, lambda p: replace(p, readings=p.readings[::-1])),
        "its blocks overlap",
    ),
    "blocks repeated": (lambda r: with_train(r, repeated), "10 of 40 blocks are another again"),
    "GPU at 0 W": (blocks(gpu_times(0.0)), "GPU energy of 0 in 40 of 40 blocks"),
    "GPU stuck": (
        lambda r: with_train(
            r,
            lambda p: replace(
                p, readings=(*p.readings[:5], gpu_times(0.0)(p.readings[5]), *p.readings[6:])
            ),
        ),
        "GPU energy of 0 in 1 of 40 blocks",
    ),
    "GPU in MWh": (blocks(gpu_times(1e-3)), "is below an idle board's"),
    "all in MWh": (lambda r: with_train(r, lambda p: scaled(p, 1e-5)), "than any machine draws"),
    "all in Wh": (lambda r: with_train(r, lambda p: scaled(p, 1000)), "above the limit"),
    "all in kJ": (lambda r: with_train(r, lambda p: scaled(p, 3600)), "above the limit"),
    "all in J": (lambda r: with_train(r, lambda p: scaled(p, 3.6e6)), "above the limit"),
    "rate in kJ": (lambda r: with_rate_times(r, 3600), "kJ taken for kWh?"),
    "rate in Wh": (lambda r: with_rate_times(r, 1000), "Wh taken for kWh?"),
    "rate in J": (lambda r: with_rate_times(r, 3.6e6), "J taken for kWh?"),
    "rate in MJ": (lambda r: with_rate_times(r, 3.6), "MJ taken for kWh?"),
    "pace in ms": (lambda r: with_train(r, in_ms), "ms taken for s?"),
    "emissions in g": (
        lambda r: with_train(
            r, lambda p: replace(p, emissions_kg_co2eq=1000 * (p.emissions_kg_co2eq or 0))
        ),
        "g taken for kg?",
    ),
    "factor in g": (
        lambda r: replace(r, host=replace(r.host, emissions=EmissionFactor("FRA", 56.0, 2023))),
        "5.6e+04 g CO2eq per kWh is no supply's factor",
    ),
    "more samples than steps": (
        blocks(lambda b: replace(b, num_samples=b.num_samples + 1)),
        "samples cannot be",
    ),
    "a warm-up of 5 kWh": (
        blocks(lambda b: b if b.use == "measured" else replace(b, own=Energy(gpu_kwh=5.0))),
        "a warm-up block: GPU power of",
    ),
    "an overhead of 9 kWh": (
        lambda r: replace(r, overheads=(Overhead("set-up", 3.0, Energy(gpu_kwh=9.0)),)),
        "overhead set-up: GPU power of",
    ),
    "CodeCarbon's energy": (
        blocks(lambda b: replace(b, energy=replace(b.energy, gpu_kwh=7 * (b.own.gpu_kwh or 0.0)))),
        "CodeCarbon's GPU energy is 7 x the suite's own, without a flag",
    ),
    "number of blocks": (
        lambda r: with_train(
            r,
            lambda p: replace(
                p, energy_kwh_per_sample=replace(p.energy_kwh_per_sample, num_blocks=1000)
            ),
        ),
        "the rate is of 1000 blocks, and 40 were measured",
    ),
    "future": (
        lambda r: replace(
            r, started_at="2999-01-01T00:00:00+00:00", ended_at="2999-01-01T01:00:00+00:00"
        ),
        "which is in the future",
    ),
    "years": (
        lambda r: replace(r, started_at="2019-01-01T00:00:00+00:00"),
        "it ran for 25",
    ),
    "more boards than metered": (
        lambda r: replace(r, host=replace(r.host, gpus=r.host.gpus * 4)),
        "1 GPUs are said to be metered, and 4 boards are listed",
    ),
    "a limit of 9 kW": (
        lambda r: replace(r, host=replace(r.host, gpus=(with_limit(r, 9000.0),))),
        "a power limit of 9000 W is no board's",
    ),
    "waits": (blocks(lambda b: replace(b, data_wait_s=5.0)), "waited 5 s for data"),
    "top 1 above top 5": (
        lambda r: with_train(r, lambda p: replace(p, quality={"top1_pct": 80, "top5_pct": 70})),
        "top1_pct of 80 is above top5_pct of 70",
    ),
    "an overhead of an hour": (
        lambda r: replace(r, overheads=(Overhead("set-up", 3600.0, Energy()),)),
        "its blocks and overheads take 3684 s, and it ran for 180 s",
    ),
    "speed": (
        lambda r: replace(r, facts=replace(r.facts, gmacs=1e6)),
        "no device computes so fast",
    ),
}
