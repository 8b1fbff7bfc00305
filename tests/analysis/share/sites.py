"""Records of made-up sites: boards, networks and noise as they might be, from one seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from metering.record import (
    Component,
    Energy,
    Interval,
    ModelFacts,
    Phase,
    PhaseRecord,
    Reading,
    Record,
    Sensor,
)
from metering.record_host import Code, EmissionFactor, GpuState, Host, MeteredGpu
from metering.setup import Asked, DataSetUp, Found, SetUp
from metering.statistics import rate_interval

BOARDS = (
    ("NVIDIA A100-SXM4-40GB", 400.0),
    ("NVIDIA RTX A6000", 300.0),
    ("NVIDIA H100", 700.0),
    ("Tesla V100-SXM2-32GB", 300.0),
    ("NVIDIA GeForce RTX 3090", 350.0),
)
NETWORKS = (
    ("resnet50", 25.6, 4.1, 2.6e-7),
    ("swin_t", 28.3, 4.5, 5.1e-7),
    ("vit_b", 86.6, 17.6, 9.5e-7),
    ("convnext_t", 28.6, 4.5, 5.5e-7),
)
FACTORS = (("GBR", 0.2376), ("FRA", 0.0560), ("USA", 0.3690), ("NOR", 0.0300))
SENSORS: dict[Component, Sensor] = {
    "gpu": Sensor("counter", "NVML"),
    "cpu": Sensor("rapl"),
    "ram": Sensor("modelled"),
}


def records(num_sites: int, num_each: int, seed: int = 0) -> list[Record]:
    """Each site has one kind of board, a host and a factor of its own; its board's gain differs
    from the others' by some percent."""
    rng = random.Random(seed)
    made = []
    for site in range(num_sites):
        board, limit_w = BOARDS[site % len(BOARDS)]
        uuid = f"GPU-{rng.getrandbits(32):08x}-1111-4222-8333-{rng.getrandbits(48):012x}"
        gain = rng.uniform(0.95, 1.05)
        for number in range(num_each):
            made.append(_record(rng, site, number, board, limit_w, uuid, gain))
    return made


def _record(
    rng: random.Random, site: int, number: int, board: str, limit_w: float, uuid: str, gain: float
) -> Record:
    name, params_m, gmacs, kwh = NETWORKS[number % len(NETWORKS)]
    country, factor = FACTORS[site % len(FACTORS)]
    scale = {"NVIDIA H100": 0.6, "Tesla V100-SXM2-32GB": 1.4}.get(board, 1.0) * gain
    phases: dict[Phase, PhaseRecord] = {
        "train": _phase(rng, "train", kwh * scale, limit_w, factor),
        "test": _phase(rng, "test", kwh * scale / 3, limit_w, factor),
    }
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=100 * site + number)
    return Record(
        run_id=f"{rng.getrandbits(128):032x}",
        status="finished",
        setup=SetUp(
            Asked(
                "classification", name, data=DataSetUp("synthetic"), batch_size=32, num_devices=1
            ),
            Found(
                device=board,
                num_devices=1,
                power_limit_w=limit_w,
                cpu_model="AMD EPYC 7302",
                sensors={part: sensor.how for part, sensor in SENSORS.items()},
            ),
        ),
        paper_row=None,
        hardware="local",
        started_at=start.isoformat(),
        ended_at=(start + timedelta(minutes=3)).isoformat(),
        config={"output_dir": f"/home/user{site}/runs", "hardware": {"slurm": {"account": "lab"}}},
        code=Code("0.1.0"),
        host=Host(
            hostname=f"node{site}.cluster",
            gpus=(MeteredGpu(board, uuid, 0, True, limit_w),),
            gpu_states=(GpuState(board, 0, uuid, power_limit_w=limit_w),),
            emissions=EmissionFactor(country, factor, 2023),
        ),
        facts=ModelFacts(params_m, gmacs, (3, 224, 224)),
        phases=phases,
    )


def _phase(
    rng: random.Random, phase: Phase, kwh: float, limit_w: float, factor: float
) -> PhaseRecord:
    """Forty blocks of about a second, the board at 70 to 95 % of its limit."""
    watts = limit_w * rng.uniform(0.7, 0.95)
    per_second = watts * 1.15 / 3.6e6 / kwh  # samples: the board draws most of the energy
    blocks, at = [], 0.0
    for index in range(42):
        duration_s = rng.gauss(1.0, 0.01)
        samples = 32 * max(1, round(per_second * duration_s / 32))
        gpu = watts * duration_s / 3.6e6 * rng.gauss(1.0, 0.01)
        blocks.append(
            Reading(
                at,
                duration_s,
                samples // 32,
                samples,
                Energy(gpu * 1.003, 45 * duration_s / 3.6e6, 10 * duration_s / 3.6e6),
                Energy(gpu, 46 * duration_s / 3.6e6),
                "warm-up" if index < 2 else "measured",
            )
        )
        at += duration_s + 1e-4
    kept = blocks[2:]
    totals = [_total(block) for block in kept]
    numbers = [block.num_samples for block in kept]
    return PhaseRecord(
        phase=phase,
        readings=tuple(blocks),
        sensors=SENSORS,
        energy_kwh_per_sample=rate_interval(totals, numbers, 0.95),
        duration_s_per_sample=rate_interval([b.duration_s for b in kept], numbers, 0.95),
        stop_reason="relative_error",
        batch_size=32,
        emissions_kg_co2eq=sum(totals) * factor,
    )


def _total(block: Reading) -> float:
    parts = (block.own.gpu_kwh, block.own.cpu_kwh, block.energy.ram_kwh)
    return sum(part for part in parts if part is not None)


def with_rate_times(record: Record, factor: float) -> Record:
    """Its train rate and interval times `factor`, its readings as they are."""
    from dataclasses import replace

    train = record.phases["train"]
    rate = train.energy_kwh_per_sample
    assert rate is not None
    assert rate.half_width is not None
    changed = Interval(
        rate.mean * factor,
        rate.half_width * factor,
        rate.confidence,
        rate.num_blocks,
        rate.num_effective_blocks,
    )
    phases = {**record.phases, "train": replace(train, energy_kwh_per_sample=changed)}
    return replace(record, phases=phases)
