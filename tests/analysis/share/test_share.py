"""What is given away names nobody, and is otherwise what was measured."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.records.load import load
from analysis.share.anonymise import anonymised, leaks
from analysis.share.bundle import is_bundle, read_lines, unpack, write_bundle
from analysis.share.scrub import board_hash, scrubbed
from metering.record import Failure, Record
from metering.record_file import to_json
from metering.scheduler import Scheduler
from tests.analysis.sample_records import put
from tests.analysis.share.sites import records

TRACEBACK = (
    'File "/home/alice/code/train.py", line 3\n'
    'File "/opt/venv/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1501\n'
    "FileNotFoundError: C:\\Users\\alice\\my data\\x.png on gpu07.lab.org (10.1.2.3), "
    "ask alice@lab.org"
)


@pytest.fixture
def named() -> Record:
    record = records(1, 1)[0]
    return replace(
        record,
        host=replace(record.host, hostname="gpu07.lab.org", more={"serial": "123"}),
        config={
            "output_dir": "/home/alice/runs",
            "data": {"root": "/scratch/project_17/imagenet", "cache_dir": "~/.cache/w"},
            "hardware": {"slurm": {"account": "proj17", "partition": "gpu", "time_min": 5}},
        },
        failure=Failure("FileNotFoundError", "no /home/alice/x for alice on gpu07", TRACEBACK),
        scheduler=Scheduler("22_0", "22", "a100", "gpu[07-09],big1", "labx", "high"),
        notes=(
            "run by alice, for labx, beside gpu08 and big1",
            "device GPU-01234567-89ab-4cde-8f01-23456789abcd",
            "1.5 kWh/sample",
        ),
    )


def test_no_name_remains(named: Record) -> None:
    text = to_json(anonymised(named))
    for name in ("alice", "gpu07", "lab.org", "/home", "/scratch", "C:\\\\Users", "10.1.2.3",
                 "proj17", "project_17", "GPU-", "serial", "node0",
                 "labx", "gpu08", "gpu[07", "big1", "a100", "22_0"):  # fmt: skip
        assert name not in text, name
    assert leaks(anonymised(named)) == []
    assert len(leaks(named)) > 5


def test_what_was_measured_remains(named: Record) -> None:
    clean = anonymised(named)
    assert (clean.phases, clean.setup, clean.run_id) == (named.phases, named.setup, named.run_id)
    assert clean.identity == named.identity
    assert clean.notes[2] == "1.5 kWh/sample"
    assert clean.config["hardware"]["slurm"]["time_min"] == 5
    assert clean.failure is not None
    assert "<path>/torch/nn/modules/module.py" in clean.failure.traceback
    assert clean.failure.message == "no <path> for <user> on <host>"


def test_the_same_board_is_still_the_same(named: Record) -> None:
    one, other = anonymised(named), anonymised(replace(named, run_id="a" * 32))
    uuid = named.host.gpus[0].uuid
    assert uuid is not None
    assert one.host.gpus[0].uuid == other.host.gpus[0].uuid == board_hash(uuid)
    assert one.host.gpu_states[0].uuid == board_hash(uuid)
    assert anonymised(one) == one  # a bundle may be shared again


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/root/watt-for-what/runs", "<path>"),
        ("in /data/sets/a b", "in <path> b"),
        ("~/runs and ~bob/runs", "<path> and <path>"),
        ("\\\\server\\share\\x", "<path>"),
        ("https://example.org/a/b", "https://example.org"),
        (
            "kWh/sample, 3/4, bisenetv1/bisenetv1_r18.py",
            "kWh/sample, 3/4, bisenetv1/bisenetv1_r18.py",
        ),
    ],
)
def test_paths_go_and_what_only_looks_like_one_stays(text: str, clean: str) -> None:
    assert scrubbed(text, {}) == clean


def test_a_bundle_holds_the_records_whole(tmp_path: Path) -> None:
    made = records(2, 3)
    for name in ("b.jsonl", "b.jsonl.gz"):
        write_bundle(made, tmp_path / name)
        assert is_bundle(tmp_path / name)
        unpack(tmp_path / name, tmp_path / f"{name}-unpacked")
        frame = load([tmp_path / f"{name}-unpacked"]).frame
        assert set(frame["run_id"]) == {one.run_id for one in made}
    assert (
        gzip.decompress((tmp_path / "b.jsonl.gz").read_bytes())
        == (tmp_path / "b.jsonl").read_bytes()
    )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: text.rindex('{"run_id"')], "holds 1 records and says 2"),
        (lambda text: text.replace('_schema": 1', '_schema": 9'), "bundle_schema 9 is unknown"),
    ],
)
def test_a_damaged_bundle_is_refused(
    tmp_path: Path, damage: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "b.jsonl"
    write_bundle(records(1, 2), path)
    assert callable(damage)
    path.write_text(damage(path.read_text()))
    assert main(["check", str(path)]) == 2
    assert words in capsys.readouterr().err


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


@pytest.mark.parametrize("at", [2, 12, 400, -6])
@pytest.mark.parametrize("command", ["check", "tables", "report", "share"])
def test_a_flipped_byte_is_one_line(
    tmp_path: Path, at: int, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "b.jsonl.gz"
    write_bundle(records(1, 2), path)
    path.write_bytes(_flipped(path.read_bytes(), at))
    out = [] if command == "check" else ["--out", str(tmp_path / "out")]
    assert main([command, str(path), *out]) == 2
    said = capsys.readouterr()
    assert said.err == f"{path} is damaged: its compression does not add up; copy it again\n"
    assert said.out == ""


def test_messages_name_the_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "b.jsonl"
    write_bundle(records(1, 2), path)
    out = ["--out", str(tmp_path / "out.jsonl")]
    head, first, last = path.read_text().splitlines()
    damaged = last.replace('"status":"finished"', '"status":"perfect"')
    path.write_text("\n".join((head, first, damaged)))
    assert main(["share", str(path), *out]) == 0
    said = capsys.readouterr().err
    assert f"left out {path}, record 2: " in said
    assert "/bundle-" not in said


def test_a_bundle_without_a_readable_record_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "b.jsonl"
    write_bundle(records(1, 1), path)
    path.write_text(path.read_text().replace('"status":"finished"', '"status":"perfect"'))
    assert main(["tables", str(path), "--out", str(tmp_path / "t")]) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith(f"{path} holds no readable record; ")
    assert "/bundle-" not in said


def test_share_check_and_tables_on_one_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "runs", *records(2, 2))
    bundle = tmp_path / "b.jsonl.gz"
    assert main(["share", str(tmp_path / "runs"), "--out", str(bundle)]) == 0
    assert "wrote 4 records" in capsys.readouterr().out
    assert main(["check", str(bundle)]) == 0
    assert main(["tables", str(bundle), "--out", str(tmp_path / "t"), "--format", "csv"]) == 0
    assert "resnet50" in (tmp_path / "t" / "table3.csv").read_text()
    heads = [json.loads(line)["host"]["hostname"] for _, line in read_lines(bundle)]
    assert heads == [None] * 4


def test_records_are_laid_out_as_runs_leave_them(named: Record, tmp_path: Path) -> None:
    again = replace(named, run_id="f" * 32, repetition=2)
    other = replace(named, run_id="e" * 32)  # the same set-up, measured elsewhere
    for folder in ("a", "b"):
        put(tmp_path / folder, *({"a": (named, again), "b": (other,)}[folder]))
        out = str(tmp_path / "records")
        assert main(["share", str(tmp_path / folder), "--out", out, "--folders"]) == 0
    place = Path(named.task, named.model, named.hardware)
    folders = sorted(path.name for path in (tmp_path / "records" / place).iterdir())
    assert folders == [named.identity, f"{named.identity}-2", f"{named.identity}.eeeeeeee"]
    assert len(load([tmp_path / "records"]).frame["run_id"].unique()) == 3
