"""What the tests on SLURM share: a quick sweep, its records and its tickets."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hydra import compose, initialize_config_dir

import launchers
from launchers.settings import SlurmSettings
from launchers.slurm_queue import Ticket, read_tickets
from metering.record import Record
from metering.record_file import read
from tasks.plan import Plan, from_config
from tests.conftest import ROOT

_PAYLOAD = (
    "hardware.slurm.time_min=5",
    "hardware.slurm.cpus_per_task=1",
    "hardware.slurm.mem_gb=null",
    "data=digits",
    "meter=fixed",
    "meter.num_steps=2",
    "meter.num_warmup_steps=0",
    "meter.idle_s=0",
    "data.num_workers=0",
    "batch_size=4",
    "model=test_resnet",
    "model.input_size=32",
    "phases=test",
)
QUICK = (
    "-m",
    "hydra/launcher=slurm",
    "hydra.launcher.poll_s=0.5",
    "hydra.launcher.visibility_s=5",
    *_PAYLOAD,
    "output_dir=runs",
)
SETTINGS = SlurmSettings(poll_s=0.5, visibility_s=5.0)
_IDLE_TRAINING = (
    "model=own",
    "model.source=idle_network:build",
    f"model.path={Path(__file__).parent}",
    "phases=train",
    "meter.block_s=0.3",
    "hardware.num_threads=1",
    "hardware.slurm.time_min=20",  # a busy machine takes minutes
)
NUM_STEPS = 300  # six seconds, in which whatever ends the run arrives
LONG = (*_IDLE_TRAINING, f"meter.num_steps={NUM_STEPS}")
ENDLESS = (*_IDLE_TRAINING, "meter.num_steps=1000000")


def plan(folder: Path, *overrides: str) -> Plan:
    """A quick run under `folder/runs`, without a process for its command."""
    launchers.register()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        own = (*_PAYLOAD, f"output_dir={folder / 'runs'}", *overrides)
        return from_config(compose("config", list(own)))


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    """`python run.py ...` in `folder`, not waited for."""
    return subprocess.Popen(
        [sys.executable, "-u", str(ROOT / "run.py"), *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def records(folder: Path) -> list[Record]:
    return [read(path) for path in sorted((folder / "runs").glob("*/*/*/*/record.json"))]


def tickets(folder: Path) -> list[Ticket]:
    tickets_of_sweep = read_tickets(folder / "runs").values()
    return sorted(tickets_of_sweep, key=lambda ticket: int(ticket.job_id.split("_")[-1]))


def until(is_so: Callable[[], bool], seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.1)
