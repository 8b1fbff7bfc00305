"""`show`: one run on one page, whatever lies where a record should."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.__main__ import main
from metering.error_budget import ErrorBudget
from metering.record import Failure
from metering.record_file import to_json, write
from tests.analysis.sample_records import a_failure, a_phase, a_record, put


def test_a_page_says_what_where_how_much_how_sure_and_in_full(tmp_path: Path, capsys) -> None:
    budget = ErrorBudget(noise=0.01, drift=0.003, repeat=0.011, absolute_note="not known: untested")
    train = replace(a_phase(emissions_kg_co2eq=7.6e-4), error_budget=budget, flags=("hot",))
    record = a_record(phases={"train": train, "test": a_phase("test", 2.5e-7, 5e-9)})
    assert main(["show", str(put(tmp_path, record))]) == 0
    said = " ".join(capsys.readouterr().out.split())  # lines break at the terminal's width
    for words in (
        "swin_t on ImageNet-1k (classification), stage supervised, batch 32, fp32",
        "NVIDIA RTX A6000 (profile a6000)",
        "3.600 ± 0.072 J a sample (95 %, within this run)",
        "GPU 80 % (counter), CPU 10 % (rapl), RAM 10 % (modelled)",
        "kWh for the whole recipe",
        "91.28 kg CO2eq",
        "tier counter",
        "noise between blocks 1 %, power that still drifted 0.3 %",
        "together, without what differs from run to run: ± 1.1 %",
        "a meter at the plugs: not known: untested",
        "train: hot",
        "train: the interval is within this run, what differs from run to run is not in it",
    ):
        assert words in said
    assert said.count("hot") == 1, "a flag is named once, with its phase"
    assert "nothing was repeated" not in said, "a page on one run cannot tell"
    assert said.count("10 blocks, 3200 samples, ended by relative_error") == 2, "of each phase"


def test_other_epochs_than_the_papers_total_implies_are_named_with_the_estimate(
    tmp_path: Path, capsys
) -> None:
    run = put(tmp_path, a_record(model="resnet50", paper_row="ResNet50"))
    assert main(["show", str(run)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    words = "our recipe has 300 epochs of ImageNet-1k, the paper's total implies 60"
    assert said.count(words) == 1
    assert said.index("The whole recipe") < said.index(words) < said.index("What is uncertain")


def test_a_failure_is_shown_with_its_reason(tmp_path: Path, capsys) -> None:
    assert main(["show", str(put(tmp_path, a_failure()))]) == 0
    said = capsys.readouterr().out
    assert "it has no result: OutOfMemory: batch_size=32 does not fit" in said
    assert "nothing was measured" in said and "used in all" in said, "its set-up used something"
    assert "no estimate: it was not measured to its end" in said


def test_an_interrupted_run_shows_what_it_measured_until_then(tmp_path: Path, capsys) -> None:
    ended = a_record(status="interrupted", failure=Failure("KeyboardInterrupt", ""))
    ended = replace(ended, phases={"train": ended.phases["train"]})
    assert main(["show", str(put(tmp_path, ended))]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "it was not measured to its end; until then: train 3.600 ± 0.072 J a sample" in said
    assert "3200 samples, 10 measured blocks of 10" in said
    assert "used in all: 0.0033" in said


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path, capsys, monkeypatch) -> None:
    record = a_record()
    put(tmp_path / "runs", record)
    monkeypatch.chdir(tmp_path)
    assert main(["show", record.run_id[:8]]) == 0
    assert record.run_id in capsys.readouterr().out


def test_what_a_terminal_would_obey_is_spelled_out(tmp_path: Path, capsys) -> None:
    assert main(["show", str(put(tmp_path, a_record(model="\x1b[2Jgone", paper_row=None)))]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said and "\\x1b[2Jgone" in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bom", b"\xef\xbb\xbf{}", "byte order mark"),
        ("utf16", "{}".encode("utf-16"), "UTF-16"),
        ("damaged", b"{", "not JSON"),
    ],
)
def test_a_file_that_is_no_record_is_named(
    tmp_path: Path, capsys, name: str, content: bytes, words: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "record.json").write_bytes(content)
    assert main(["show", str(folder)]) == 2
    assert words in capsys.readouterr().err


def test_a_key_that_stands_twice_is_seen_behind_an_escaped_colon(tmp_path: Path, capsys) -> None:
    text = to_json(a_record(notes=("a:b",))).replace("a:b", r"a\u003ab")
    twice = text.replace('"status"', r'"\u0073tatus": "failed", "status"', 1)
    (tmp_path / "record.json").write_text(twice)
    assert main(["show", str(tmp_path)]) == 2
    assert "stands twice" in capsys.readouterr().err


@pytest.mark.timeout(30)
def test_a_fifo_never_hangs(tmp_path: Path, capsys) -> None:
    os.mkfifo(tmp_path / "record.json")
    for place in (tmp_path, tmp_path / "record.json"):
        assert main(["show", str(place)]) == 2
        assert "is no regular file" in capsys.readouterr().err


def test_the_runs_of_a_folder_are_listed(tmp_path: Path, capsys) -> None:
    hot = a_record(phases={"train": replace(a_phase(), flags=("hot",))})
    failed = a_failure()
    assert main(["show", str(put(tmp_path, hot, failed))]) == 0
    said = capsys.readouterr().out
    assert "2 runs: 1 failed, 1 finished" in said
    of_hot, of_failed = (
        next(line for line in said.splitlines() if one.run_id[:8] in line) for one in (hot, failed)
    )
    assert "swin_t" in of_hot and "finished †" in of_hot and "3.600 ± 0.072" in of_hot
    assert "failed" in of_failed and "±" not in of_failed


def test_a_run_of_any_folder_is_named_by_its_id(tmp_path: Path, capsys) -> None:
    one, other = a_record(), a_record(batch_size=64)
    runs = put(tmp_path, one, other)
    assert main(["show", f"{runs}/{other.run_id[:8]}"]) == 0
    assert "batch 64" in capsys.readouterr().out
    assert main(["show", f"{runs}/{'0' * 32}"]) == 2
    assert f"no run id in {runs} begins so" in capsys.readouterr().err


def test_what_only_tells_how_it_was_measured_is_no_mark(tmp_path: Path, capsys) -> None:
    told = a_phase("test", flags=("test batches of 1 a rank, as in MMAction2's configs",))
    runs = put(tmp_path, *(a_record(phases={"test": told}, batch_size=size) for size in (8, 16)))
    assert main(["show", str(runs)]) == 0
    assert "†" not in capsys.readouterr().out


def test_a_path_that_is_none_is_refused(capsys) -> None:
    assert main(["show", "../nowhere"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_the_cheapest_setting_measured_for_the_network_is_named(tmp_path: Path, capsys) -> None:
    kwh = {False: (1e-6, 1.002e-6), True: (0.8e-6, 0.802e-6)}
    for compiled, runs in kwh.items():
        for number, one in enumerate(runs):
            record = a_record(phases={"train": a_phase(kwh_per_sample=one)}, compile=compiled)
            name = f"{record.identity}-{number}"
            write(record, tmp_path / record.task / record.model / record.hardware / name)
    reference = a_record()
    folder = tmp_path / reference.task / reference.model / reference.hardware
    assert main(["show", str(folder / f"{reference.identity}-0")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    line = "train: the cheapest setting of swin_t measured on NVIDIA RTX A6000 is compile false -> "
    assert f"{line}true: -20.0 % (" in said
