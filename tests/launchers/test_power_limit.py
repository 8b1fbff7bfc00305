"""`run.py hardware.power_limit_w=...` from end to end, over the stand-in for NVML."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from metering.record_file import read
from tests.conftest import ROOT
from tests.metering.nvml_stand_in.state import StandIn, StandInGpu, compile_library

EVERY_PROCESS = ROOT / "tests" / "metering" / "nvml_stand_in" / "every_process"
SHORT = ("meter=fixed", "meter.num_steps=2", "meter.num_warmup_steps=0", "meter.block_s=0.05")
ENDLESS = (*SHORT, "meter.num_steps=1000000")
LIMITED = ("hardware.power_limit_w=250", "hardware.allow_power_limit=true")

pytestmark = pytest.mark.trains


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def nothing_runs_on() -> Iterator[None]:
    """Some of the runs are endless: a test that fails leaves none behind."""
    yield
    while STARTED:
        STARTED.pop().kill()


class Suite:
    """`run.py` on a machine of two GPUs, of which the job has those at `places`."""

    def __init__(self, folder: Path, cache_dir: Path, places: str = "1") -> None:
        self.runs = folder / "runs"
        (folder / "nvml").mkdir()
        library = compile_library(folder / "nvml")
        self.stand_in = StandIn(folder, [StandInGpu("GPU-aa"), StandInGpu("GPU-bb")]).write()
        self._environment = self.stand_in.environment(library) | {
            "CUDA_VISIBLE_DEVICES": places,
            "STAND_IN_UUID": "aa,bb",
            "XDG_CACHE_HOME": str(cache_dir / "xdg"),
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": os.pathsep.join([str(EVERY_PROCESS), str(ROOT)]),
        }

    def start(self, *overrides: str) -> subprocess.Popen[str]:
        command = [
            sys.executable, str(ROOT / "run.py"), "model=test_resnet", "data=digits",
            "model.input_size=32", "phases=train", "data.num_workers=0",
            "meter.idle_s=0", "checkpoint_write=false", f"output_dir={self.runs}", *overrides,
        ]  # fmt: skip
        if "-m" not in overrides:
            command.append("batch_size=4")
        process = subprocess.Popen(
            command,
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        STARTED.append(process)
        return process

    def run(self, *overrides: str) -> tuple[int, str]:
        """Exit status and what was printed."""
        process = self.start(*overrides)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    @property
    def watts(self) -> list[float]:
        assert {uuid for uuid, _ in self.stand_in.limits_set} <= {"GPU-bb"}
        return [watts for _, watts in self.stand_in.limits_set]

    def record(self):
        (path,) = self.runs.glob("*/*/*/*/record.json")
        return read(path)


@pytest.fixture
def suite(tmp_path: Path, cache_dir: Path) -> Suite:
    return Suite(tmp_path, cache_dir)


def is_measuring(process: subprocess.Popen[str]) -> psutil.Process:
    """Waits until the run says that its phase begins; the run's own process."""
    assert process.stdout is not None
    assert any(line.rstrip().endswith(": train") for line in process.stdout)
    (server,) = psutil.Process(process.pid).children()
    (run,) = [one for one in server.children() if one.cmdline() == server.cmdline()]  # its forks
    return run


def eventually(is_so: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + 150  # two Pythons with PyTorch begin, on a busy machine
    while not is_so() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return is_so()


def test_a_run_whose_process_is_killed_gives_the_limit_back(suite):
    process = suite.start(*ENDLESS, *LIMITED)
    is_measuring(process).send_signal(signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == 1
    assert suite.record().status == "failed"
    assert suite.watts == [250.0, 400.0]


def test_a_sweep_that_is_asked_to_end_gives_the_limit_back(suite):
    process = suite.start(*ENDLESS, *LIMITED)
    is_measuring(process)
    process.terminate()
    process.communicate(timeout=120)
    assert suite.record().status == "interrupted"
    assert suite.watts == [250.0, 400.0]


def test_what_a_killed_sweep_leaves_is_put_back_before_the_next_run_sets_its_own(suite):
    process = suite.start(*ENDLESS, *LIMITED)
    child = is_measuring(process)
    process.kill()
    process.communicate(timeout=120)
    assert eventually(lambda: not child.is_running())
    assert suite.watts == [250.0]

    status, said = suite.run(*SHORT, "hardware.power_limit_w=300", LIMITED[1])
    assert status == 0, said
    assert "GPU-bb was put back to 400 W" in said
    assert suite.watts == [250.0, 400.0, 300.0, 400.0]
    records = map(read, suite.runs.glob("*/*/*/*/record.json"))
    (setup,) = [record.setup for record in records if record.status == "finished"]
    assert setup.asked.power_limit_w == 300.0
    assert setup.found is not None and setup.found.power_limit_w == 300.0


def test_runs_side_by_side_that_are_asked_to_end_give_each_its_own_back(tmp_path, cache_dir):
    suite = Suite(tmp_path, cache_dir, "0,1")
    process = suite.start(*ENDLESS, *LIMITED, "-m", "hydra.launcher.devices=[[0],[1]]",
                          "batch_size=2,4")  # fmt: skip
    assert eventually(lambda: len(list(suite.runs.glob("*/*/*/*/run.log"))) == 2)
    assert sorted(suite.stand_in.limits_set) == [("GPU-aa", 250.0), ("GPU-bb", 250.0)]
    process.terminate()
    process.communicate(timeout=120)
    assert sorted(suite.stand_in.limits_set[2:]) == [("GPU-aa", 400.0), ("GPU-bb", 400.0)]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("hardware.power_limit_w=250",), "add hardware.allow_power_limit=true"),
        (("hardware.power_limit_w=40", LIMITED[1]), "takes 100 to 400 W"),
        (("hardware.power_limit_w=40", LIMITED[1], "dry_run=true"), "takes 100 to 400 W"),
        ((*LIMITED, "hydra.launcher.isolate=false"), "no process of ours outlives the run"),
        ((*LIMITED, "hydra/launcher=slurm"), "no process of ours outlives the run"),
        ((*LIMITED, "hardware.accelerator=cpu"), "is a GPU's"),
    ],
    ids=["not allowed", "out of range", "preview", "no supervisor", "SLURM", "CPU"],
)
def test_a_limit_that_cannot_be_is_refused_in_one_line(suite, overrides, words):
    status, said = suite.run(*SHORT, *overrides)
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    assert "hardware.power_limit_w=" in line and words in line
    assert status == 2
    assert "Traceback" not in said
    assert suite.watts == []
