"""A bundle of a thousand records is checked without a false alarm; what arithmetic can see is
named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.share.bundle import write_bundle
from analysis.share.check import check
from analysis.share.record_checks import BLIND, findings, worst
from metering.record import PhaseRecord, Record
from tests.analysis.sample_records import a_failure, put
from tests.analysis.share.faults import FAULTS, blocks, scaled, with_train
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


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(thousand: list[Record], name: str) -> None:
    plant, words = FAULTS[name]
    listed = findings(plant(thousand[7]))
    assert worst(listed) == "wrong"
    assert any(words in one.reason for one in listed), listed


def _put_bundle(folder: Path, *made: Record) -> Path:
    write_bundle(made, folder / "b.jsonl")
    return folder / "b.jsonl"


def test_samples_that_are_no_multiple_of_the_batch_are_doubtful(thousand: list[Record]) -> None:
    odd = blocks(lambda b: replace(b, num_samples=b.num_samples - 1 - b.num_steps % 3))
    said = [one for one in findings(odd(thousand[7])) if "no multiple" in one.reason]
    assert [one.weight for one in said] == ["doubtful"]
    ones = blocks(lambda b: replace(b, num_samples=b.num_steps))  # evaluation in batches of one
    assert not any("multiple" in one.reason for one in findings(ones(thousand[7])))


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
    found = findings(replace(with_train(thousand[7], change), host=host))
    assert {one.weight for one in found if words in one.reason} == {"doubtful"}


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
    earlier = blocks(lambda b: replace(b, attempt="a" * 32))(thousand[5])
    short = replace(earlier, phases={"train": earlier.phases["train"]})
    end = datetime.fromisoformat(short.started_at) + timedelta(seconds=10)
    assert not any(
        "ran for" in one.reason for one in findings(replace(short, ended_at=end.isoformat()))
    )


def test_a_rate_far_from_its_like_is_doubtful(thousand: list[Record], tmp_path: Path) -> None:
    odd = replace(with_train(thousand[0], lambda p: scaled(p, 0.2)), run_id="e" * 32)
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
