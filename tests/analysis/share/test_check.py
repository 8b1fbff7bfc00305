"""A bundle of a thousand records is checked without a false alarm; what arithmetic can see is
named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.share.believe import BLIND, findings, worst
from analysis.share.bundle import write_bundle
from analysis.share.check import check
from metering.record import Energy, Interval, Overhead, PhaseRecord, Reading, Record, Sensor
from metering.record_host import EmissionFactor, MeteredGpu
from tests.analysis.sample_records import a_failure, put
from tests.analysis.share.sites import records, with_rate_times


@pytest.fixture(scope="module")
def thousand() -> list[Record]:
    return records(num_sites=20, num_each=50)


@pytest.mark.slow
def test_of_a_thousand_records_of_twenty_sites_no_alarm_is_false(
    thousand: list[Record], tmp_path: Path
) -> None:
    write_bundle(thousand, tmp_path / "all.jsonl.gz")
    checked = check([tmp_path / "all.jsonl.gz"])
    assert len(checked) == 1000
    assert [str(one) for one in checked if one.verdict != "believable"] == []


def _with_train(record: Record, change: Callable[[PhaseRecord], PhaseRecord]) -> Record:
    return replace(record, phases={**record.phases, "train": change(record.phases["train"])})


def _blocks(change: Callable[[Reading], Reading]) -> Callable[[Record], Record]:
    return lambda record: _with_train(
        record, lambda phase: replace(phase, readings=tuple(map(change, phase.readings)))
    )


def _without_gpu(block: Reading) -> Reading:
    return replace(block, energy=replace(block.energy, gpu_kwh=None), own=Energy())


def _scaled(phase: PhaseRecord, factor: float) -> PhaseRecord:
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


def _narrowed(phase: PhaseRecord) -> PhaseRecord:
    rate = phase.energy_kwh_per_sample
    assert rate is not None
    return replace(phase, energy_kwh_per_sample=replace(rate, half_width=rate.mean * 1e-5))


def _gpu_times(factor: float) -> Callable[[Reading], Reading]:
    def change(block: Reading) -> Reading:
        gpu, own = block.energy.gpu_kwh or 0.0, block.own.gpu_kwh or 0.0
        return replace(
            block,
            energy=replace(block.energy, gpu_kwh=gpu * factor),
            own=replace(block.own, gpu_kwh=own * factor),
        )

    return change


def _repeated(phase: PhaseRecord) -> PhaseRecord:
    """Its last ten blocks are the ten before again, at their own times."""
    kept = phase.readings[:-10]
    again = [
        replace(block, started_at_s=late.started_at_s)
        for block, late in zip(kept[-10:], phase.readings[-10:], strict=True)
    ]
    return replace(phase, readings=(*kept, *again))


def _with_limit(record: Record, limit_w: float) -> MeteredGpu:
    [board] = record.host.gpus
    return replace(board, board_power_w=limit_w)


def _in_ms(phase: PhaseRecord) -> PhaseRecord:
    pace = phase.duration_s_per_sample
    assert pace is not None
    return replace(phase, duration_s_per_sample=replace(pace, mean=pace.mean * 1000))


FAULTS: dict[str, tuple[Callable[[Record], Record], str]] = {
    "rate": (lambda r: with_rate_times(r, 10), "the rate is 10 x what its readings add up to"),
    "rate down": (lambda r: with_rate_times(r, 0.9), "the rate is 0.9 x"),
    "readings": (_blocks(lambda b: replace(b, num_samples=b.num_samples * 2)), "the rate is 2 x"),
    "power": (lambda r: _with_train(r, lambda p: _scaled(p, 3)), "above the limit"),
    "no gpu": (_blocks(_without_gpu), "GPU read by counter, and no reading of it"),
    "sensor": (
        lambda r: _with_train(
            r, lambda p: replace(p, sensors={**p.sensors, "gpu": Sensor("absent")})
        ),
        "GPU energy, and no sensor that read it",
    ),
    "interval": (lambda r: _with_train(r, _narrowed), "the least that its readings allow"),
    "emissions": (
        lambda r: _with_train(r, lambda p: replace(p, emissions_kg_co2eq=1.0)),
        "its energy times its factor",
    ),
    "time": (lambda r: replace(r, ended_at=r.started_at), "and it ran for 0 s"),
    "overlap": (_blocks(lambda b: replace(b, started_at_s=0.0)), "its blocks overlap"),
    "reversed": (
        lambda r: replace(r, started_at=r.ended_at, ended_at=r.started_at),
        "it ended 180 s before it started",
    ),
    "phase outside": (
        lambda r: _with_train(r, lambda p: replace(p, started_at="2020-01-01T00:00:00+00:00")),
        "train: it began at 2020-01-01T00:00:00+00:00, outside of the run",
    ),
    "blocks reversed": (
        lambda r: _with_train(r, lambda p: replace(p, readings=p.readings[::-1])),
        "its blocks overlap",
    ),
    "blocks repeated": (lambda r: _with_train(r, _repeated), "10 of 40 blocks are another again"),
    "GPU at 0 W": (_blocks(_gpu_times(0.0)), "GPU energy of 0 in 40 of 40 blocks"),
    "GPU stuck": (
        lambda r: _with_train(
            r,
            lambda p: replace(
                p, readings=(*p.readings[:5], _gpu_times(0.0)(p.readings[5]), *p.readings[6:])
            ),
        ),
        "GPU energy of 0 in 1 of 40 blocks",
    ),
    "GPU in MWh": (_blocks(_gpu_times(1e-3)), "is below an idle board's"),
    "all in MWh": (lambda r: _with_train(r, lambda p: _scaled(p, 1e-5)), "than any machine draws"),
    "all in Wh": (lambda r: _with_train(r, lambda p: _scaled(p, 1000)), "above the limit"),
    "all in kJ": (lambda r: _with_train(r, lambda p: _scaled(p, 3600)), "above the limit"),
    "all in J": (lambda r: _with_train(r, lambda p: _scaled(p, 3.6e6)), "above the limit"),
    "rate in kJ": (lambda r: with_rate_times(r, 3600), "kJ taken for kWh?"),
    "rate in Wh": (lambda r: with_rate_times(r, 1000), "Wh taken for kWh?"),
    "rate in J": (lambda r: with_rate_times(r, 3.6e6), "J taken for kWh?"),
    "rate in MJ": (lambda r: with_rate_times(r, 3.6), "MJ taken for kWh?"),
    "pace in ms": (lambda r: _with_train(r, _in_ms), "ms taken for s?"),
    "emissions in g": (
        lambda r: _with_train(
            r, lambda p: replace(p, emissions_kg_co2eq=1000 * (p.emissions_kg_co2eq or 0))
        ),
        "g taken for kg?",
    ),
    "factor in g": (
        lambda r: replace(r, host=replace(r.host, emissions=EmissionFactor("FRA", 56.0, 2023))),
        "5.6e+04 g CO2eq per kWh is no supply's factor",
    ),
    "more samples than steps": (
        _blocks(lambda b: replace(b, num_samples=b.num_samples + 1)),
        "samples cannot be",
    ),
    "a warm-up of 5 kWh": (
        _blocks(lambda b: b if b.use == "measured" else replace(b, own=Energy(gpu_kwh=5.0))),
        "a warm-up block: GPU power of",
    ),
    "an overhead of 9 kWh": (
        lambda r: replace(r, overheads=(Overhead("set-up", 3.0, Energy(gpu_kwh=9.0)),)),
        "overhead set-up: GPU power of",
    ),
    "CodeCarbon's energy": (
        _blocks(lambda b: replace(b, energy=replace(b.energy, gpu_kwh=7 * (b.own.gpu_kwh or 0.0)))),
        "CodeCarbon's GPU energy is 7 x the suite's own, without a flag",
    ),
    "number of blocks": (
        lambda r: _with_train(
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
        lambda r: replace(r, host=replace(r.host, gpus=(_with_limit(r, 9000.0),))),
        "a power limit of 9000 W is no board's",
    ),
    "waits": (_blocks(lambda b: replace(b, data_wait_s=5.0)), "waited 5 s for data"),
    "top 1 above top 5": (
        lambda r: _with_train(r, lambda p: replace(p, quality={"top1_pct": 80, "top5_pct": 70})),
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


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(thousand: list[Record], name: str) -> None:
    plant, words = FAULTS[name]
    listed = findings(plant(thousand[7]))
    assert worst(listed) == "wrong"
    assert any(words in one.what for one in listed), listed


def _put_bundle(folder: Path, *made: Record) -> Path:
    write_bundle(made, folder / "b.jsonl")
    return folder / "b.jsonl"


def test_samples_that_are_no_multiple_of_the_batch_are_doubtful(thousand: list[Record]) -> None:
    odd = _blocks(lambda b: replace(b, num_samples=b.num_samples - 1 - b.num_steps % 3))
    said = [one for one in findings(odd(thousand[7])) if "no multiple" in one.what]
    assert [one.weight for one in said] == ["doubtful"]
    ones = _blocks(lambda b: replace(b, num_samples=b.num_steps))  # evaluation in batches of one
    assert not any("multiple" in one.what for one in findings(ones(thousand[7])))


def test_a_run_that_is_there_twice_is_told(thousand: list[Record], tmp_path: Path) -> None:
    other = with_rate_times(thousand[1], 1.001)
    checked = check([_put_bundle(tmp_path, *thousand[:2], thousand[0], other)])
    assert [one.verdict for one in checked[2:]] == ["doubtful", "not believable"]
    assert "with other content" in str(checked[3])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: replace(p, batch_size=64), "trained in batches of 64, and 32 were asked for"),
        (
            lambda p: replace(p, flags=("pue 50 is no data centre's: it is not divided out, and no "
                                        "rate is made",)),
            "flag: pue 50",
        ),
        (lambda p: p, "emissions, and no factor"),
    ],
)  # fmt: skip
def test_what_may_be_and_a_reader_should_know_is_doubtful(
    thousand: list[Record], change: Callable[[PhaseRecord], PhaseRecord], words: str
) -> None:
    host = replace(thousand[7].host, emissions=None)
    found = findings(replace(_with_train(thousand[7], change), host=host))
    assert {one.weight for one in found if words in one.what} == {"doubtful"}


def test_two_runs_at_once_on_one_board_are_doubtful(thousand: list[Record], tmp_path: Path) -> None:
    at_once = replace(thousand[1], started_at=thousand[0].started_at, ended_at=thousand[0].ended_at)
    after = replace(thousand[2], started_at=thousand[0].ended_at)
    checked = check([_put_bundle(tmp_path, thousand[0], at_once, after)])
    assert [one.verdict for one in checked] == ["believable", "doubtful", "believable"]
    assert "on the same board at the same time as" in str(checked[1])


def test_a_phase_that_is_the_other_phase_again_is_named(
    thousand: list[Record], tmp_path: Path
) -> None:
    record = thousand[3]
    train = record.phases["train"]
    twice = replace(record, phases={"train": train, "test": replace(train, phase="test")})
    [one] = check([_put_bundle(tmp_path, twice)])
    assert "test: a copy of its train phase" in str(one)


def test_blocks_of_an_earlier_attempt_are_in_no_runs_time(thousand: list[Record]) -> None:
    earlier = _blocks(lambda b: replace(b, attempt="a" * 32))(thousand[5])
    short = replace(earlier, phases={"train": earlier.phases["train"]})
    end = datetime.fromisoformat(short.started_at) + timedelta(seconds=10)
    assert not any(
        "ran for" in one.what for one in findings(replace(short, ended_at=end.isoformat()))
    )


def test_a_rate_far_from_its_like_is_doubtful(thousand: list[Record], tmp_path: Path) -> None:
    odd = replace(_with_train(thousand[0], lambda p: _scaled(p, 0.2)), run_id="e" * 32)
    like = [one for one in thousand[:50] if one.setup == odd.setup]
    checked = check([_put_bundle(tmp_path, *like[1:], odd)])
    assert checked[-1].verdict == "doubtful"
    assert "0.2 x the median" in str(checked[-1])


def test_a_record_that_no_schema_reads_is_named(tmp_path: Path) -> None:
    bundle = _put_bundle(tmp_path, *records(1, 1))
    bundle.write_text(bundle.read_text().replace('"status":"finished"', '"status":"perfect"'))
    [one] = check([bundle])
    assert one.verdict == "not believable"
    assert "status" in str(one)


def test_the_command_says_what_no_check_can_find(
    thousand: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = _put_bundle(tmp_path, thousand[0], with_rate_times(thousand[1], 10))
    assert main(["check", str(bundle)]) == 1
    said = capsys.readouterr()
    assert "not believable: train: the rate is 10 x" in said.out
    assert said.out.splitlines()[-1] == ("2 records: 1 believable, 0 doubtful, 1 not believable")
    assert BLIND in said.err


def test_a_failed_run_is_doubtful_and_a_folder_may_be_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, a_failure())
    assert main(["check", str(tmp_path)]) == 0
    assert "the run failed: it is no result" in capsys.readouterr().out


def test_the_shipped_records_are_believable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "results/records"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(" 0 not believable" in line for line in lines)
    # windows of a few seconds on a GPU: they say so of themselves
    for line in (one for one in lines if ": doubtful: " in one):
        assert "nvidia-h200" in line
        assert "less than meter.least_s" in line
