"""`python run.py`, typed as a user types it: sweeps, resumption, interruption, refusals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metering.record import Record
from metering.record_file import read
from tests.conftest import ROOT

QUICK = (
    "data=digits",
    "meter=fixed",
    "meter.num_steps=4",
    "meter.num_warmup_steps=1",
    "meter.idle_s=0",
    "hardware.accelerator=cpu",
)
LONG = (
    "model=test_resnet",
    "data=digits",
    "hardware.accelerator=cpu",
    "meter.time_budget_s=100",
    "meter.relative_error=1e-9",
    "meter.max_blocks=100000",
)


def records(folder: Path) -> list[Record]:
    return [read(path) for path in sorted((folder / "runs").glob("*/*/*/*/record.json"))]


NETS = """
import torch

class Works(torch.nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.head = torch.nn.Linear(3, num_classes)

    def forward(self, images):
        return self.head(images.mean((2, 3)))

class Breaks(Works):
    def forward(self, images):
        if images.device.type != "meta":  # the trial beforehand cannot know
            raise RuntimeError("broken on purpose")
        return super().forward(images)
"""


def test_a_sweep_records_each_run_goes_past_a_failure_and_resumes(run_py, tmp_path):
    (tmp_path / "nets.py").write_text(NETS)
    own = ("model=own", f"model.path={tmp_path}", "model.source=nets:Breaks,nets:Works")
    sweep = ("-m", *own, *QUICK, "model.input_size=20")
    done = run_py(*sweep)
    assert done.returncode == 1, done.stderr
    by_model = {record.model: record for record in records(tmp_path)}
    assert by_model["Breaks"].status == "failed"
    assert "broken on purpose" in by_model["Breaks"].failure.message
    assert "Traceback" in by_model["Breaks"].failure.traceback
    assert "1 finished (0 of them earlier), 1 failed" in done.stdout
    assert "failed: Breaks" in done.stdout

    good = by_model["Works"]
    assert good.status == "finished"
    assert good.phases["train"].energy_kwh_per_sample.mean > 0
    assert sum(block.num_steps for block in good.phases["train"].readings) >= 4
    assert good.config["model"]["input_size"] == 20
    folder = tmp_path / "runs/classification/Works/local" / good.identity
    assert (folder / "emissions.csv").is_file()
    costs = {cost.name: cost.energy.total_kwh for cost in good.overheads}
    assert costs["set-up"] > 0
    assert costs["checkpoint"] > 0
    assert not list(folder.glob("checkpoint*"))
    # without RAPL or a GPU everything is modelled, and the summary says so in plain words
    assert "modelled, not measured" in done.stdout or "RAPL counter" in done.stdout
    assert "codecarbon" not in (done.stdout + done.stderr).lower()

    again = run_py(*sweep)
    assert "1 finished (1 of them earlier), 1 failed" in again.stdout
    assert {record.started_at for record in records(tmp_path)} >= {good.started_at}
    broken = tmp_path / "runs/classification/Breaks/local" / by_model["Breaks"].identity
    assert len(list((broken / "attempts").glob("*.json"))) == 1


def start(tmp_path: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *args],
        cwd=tmp_path,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for_line(process: subprocess.Popen[str], words: str) -> None:
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"the process ended without saying {words!r}")


@pytest.mark.trains
def test_ctrl_c_leaves_an_interrupted_record_and_stops_the_sweep(tmp_path):
    process = start(tmp_path, "-m", "repeats=2", "repetition=1,2", *LONG)
    wait_for_line(process, "test_resnet: train")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert [record.status for record in records(tmp_path)] == ["interrupted"]
    assert "Traceback" not in errors


@pytest.mark.trains
def test_a_sweep_killed_in_the_middle_measures_every_row_once(tmp_path):
    sweep = (
        "-m",
        "model=test_resnet",
        "repeats=2",
        "repetition=1,2",
        *QUICK,
        f"output_dir={tmp_path / 'runs'}",
    )
    process = start(tmp_path, *sweep)
    deadline_s = time.monotonic() + 120
    while not records(tmp_path) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    first = records(tmp_path)
    assert len(first) == 1, "the first of two runs was finished when the sweep was killed"

    again = start(tmp_path, *sweep)
    output, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert "2 finished (1 of them earlier)" in output
    done = records(tmp_path)
    assert [record.status for record in done] == ["finished"] * 2
    assert first[0] in done
    assert not list((tmp_path / "runs").rglob("attempts"))


def test_a_dry_run_prints_the_plan_and_measures_nothing(run_py, tmp_path):
    done = run_py("-m", "model=vit_b,swin_t", "task=classification", "dry_run=true")
    assert done.returncode == 0
    assert "model=vit_b" in done.stdout and "model=swin_t" in done.stdout
    assert re.search(
        r"\n2 runs, 0.267 hours measured, 0(\.267)? GPU-hours, kWh unknown", done.stdout
    )  # two phases of four minutes
    assert records(tmp_path) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["model=vit_bb"], "model 'vit_bb' is unknown; did you mean vit_b"),
        (["batch_size=0"], "batch_size=0 is not a whole number of at least 1"),
        (["batch_size=many"], "batch_size=many"),
        (["batchsize=8"], "did you mean batch_size or task.batch_size?"),
        (["meter=papr"], "did you mean paper?"),
        (["data=imagenet"], "data=imagenet needs data.root=FOLDER"),
        (["model=["], "'model=[' cannot be read as key=value"),
        (["output_dir=/dev/null/runs", *QUICK], "set output_dir=FOLDER"),
        (["-m", "output_dir=/dev/null/runs", *QUICK], "set output_dir=FOLDER"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(run_py, tmp_path, args, words):
    done = run_py(*args)
    assert done.returncode == 2
    complaints = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(complaints) == 1 and words in complaints[0]
    assert "Traceback" not in done.stderr
    assert records(tmp_path) == []


@pytest.mark.parametrize(
    "typed",
    [
        [str(ROOT / "run.py"), "model=resnet18"],
        ["-m", "analysis", "tables"],
        ["-m", "metering.doctor"],
        ["-m", "launchers.status", "runs"],
        ["-m", "watt_for_what", "tables"],
    ],
    ids=" ".join,
)
def test_a_python_without_the_packages_names_the_one_to_use(typed):
    done = subprocess.run(
        [sys.executable, "-E", "-S", *typed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {sys.executable} has no package ")
