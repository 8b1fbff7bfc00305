"""Records of the public API in the commands that read records: each run is there, with what it
used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import watt_for_what as watt
from analysis.__main__ import main
from watt_for_what.exec import main as execute

QUICK = watt.MeterSettings(mode="fixed", num_steps=4, block_s=0.01, idle_s=0.0)


def step() -> None:
    sum(range(10_000))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A loop of a task of the paper, a whole training of one's own, and two programs."""
    folder = tmp_path / "runs"
    monkeypatch.chdir(tmp_path)
    said = {"batch_size": 4, "device": "cpu", "quiet": True, "output_dir": folder}
    with (
        watt.measure("my-net", task="classification", data="pets", meter=QUICK, **said) as run,
        run.window("train") as window,
    ):
        while not window.step(4):
            step()
    with watt.measure("my-training", whole=True, **said) as run:
        with run.window("train") as window:
            for _ in range(3):
                step()
                window.step(4)
        with run.checkpoint():
            step()
    for name, more in (("counted", ["--samples", "64"]), ("uncounted", [])):
        program = [sys.executable, "-c", "pass"]
        execute(["--name", name, "--output-dir", str(folder), *more, "--", *program])
    return folder


@pytest.mark.trains
def test_tables_show_and_exports_have_them(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tables", str(runs), "--own", "--out", "tables"]) == 0
    printed = capsys.readouterr()
    for name in ("my-net", "my-training", "counted"):
        assert f"\n{name} [" in printed.out
    assert "uncounted" in printed.err and "no samples are known" in printed.err

    records = {path.parts[-4]: path for path in runs.rglob("record.json")}
    shown = {}
    for name, path in records.items():
        assert main(["show", str(path)]) == 0
        shown[name] = capsys.readouterr().out
    assert "used in all" not in shown["my-net"]
    for name in ("my-training", "counted", "uncounted"):
        assert "used in all: " in shown[name]
        assert "batch None" not in shown[name]
    assert "checkpoint" in shown["my-training"]

    assert main(["check", str(runs)]) in (0, 1)
    assert "4 records: " in capsys.readouterr().out
    assert main(["share", str(runs), "--out", "shared.jsonl.gz"]) == 0
    Path("exports").mkdir()
    for form in ("boamps", "cyclonedx", "sci", "blocks"):
        assert main(["export", str(runs), "--to", form, "--out", f"exports/{form}"]) == 0
