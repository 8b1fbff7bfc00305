"""A sweep whose runs are killed at random moments measures every other row once, and leaves one
failed record of each that died."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from metering.record import Record
from metering.record_file import read
from tests.conftest import ROOT
from tests.endurance import FULL, TINY

pytestmark = pytest.mark.trains
NUM_RUNS = 40 if FULL else 8
NUMBERS = [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGTERM]
LONGEST_S = 0.6  # from a run's start to its kill: such a run takes half a second and more


def a_sweep(folder: Path, *args: str) -> subprocess.Popen[str]:
    numbers = ",".join(map(str, range(1, NUM_RUNS + 1)))
    command = [
        sys.executable,
        str(ROOT / "run.py"),
        "-m",
        f"repeats={NUM_RUNS}",
        f"repetition={numbers}",
        *TINY,
        f"output_dir={folder / 'runs'}",
        f"data.cache_dir={folder / 'cache'}",
        *args,
    ]
    return subprocess.Popen(
        command,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def runs_of(sweep: psutil.Process) -> list[psutil.Process]:
    """The processes of its runs: the forks of its fork server, which has a compiler beside."""
    try:
        children = [(server, run) for server in sweep.children() for run in server.children()]
        return [run for server, run in children if run.cmdline() == server.cmdline()]
    except psutil.NoSuchProcess:
        return []


def kill_every_other_run(sweep: subprocess.Popen[str], numbers: list[signal.Signals]) -> int:
    """Sends one signal after the other to every other run, at a random moment of it, and to the
    first as soon as it is there, so that one at least is hit; how often one was there."""
    draw, seen, num_kills = random.Random(int(numbers[0])), set(), 0
    process = psutil.Process(sweep.pid)
    while sweep.poll() is None:
        for run in runs_of(process):
            if run.pid in seen:
                continue
            seen.add(run.pid)
            if len(seen) % 2:
                moment_s = draw.uniform(0, LONGEST_S)
                time.sleep(moment_s if num_kills else 0)
                try:
                    os.kill(run.pid, numbers[len(seen) // 2 % len(numbers)])
                    num_kills += 1
                except ProcessLookupError:
                    continue
        time.sleep(0.005)
    return num_kills


def records(folder: Path) -> list[Record]:
    return [read(path) for path in folder.glob("runs/*/*/*/*/record.json")]


@pytest.mark.parametrize("numbers", [[each] for each in NUMBERS] if FULL else [NUMBERS])
def test_the_sweep_goes_on_and_the_same_command_says_what_died(tmp_path, numbers):
    sweep = a_sweep(tmp_path)
    num_kills = kill_every_other_run(sweep, numbers)
    output, errors = sweep.communicate()
    first = records(tmp_path)
    dead = [one for one in first if one.status == "failed"]
    assert Counter(one.status for one in first) == Counter(
        {"finished": NUM_RUNS - len(dead), "failed": len(dead)}
    ), errors
    assert 1 <= len(dead) <= num_kills
    assert sweep.returncode == 1, errors
    assert all(any(each.name in one.failure.message for each in numbers) for one in dead)
    assert not list(tmp_path.rglob("attempts")), "a row was measured twice"
    assert f"{NUM_RUNS - len(dead)} finished (0 of them earlier), {len(dead)} failed" in output

    again = a_sweep(tmp_path)
    output, errors = again.communicate()
    assert again.returncode == 1, errors
    assert output.count("not run again (retry_failed=true does)") == len(dead)
    assert {one.run_id for one in records(tmp_path)} == {one.run_id for one in first}

    retried = a_sweep(tmp_path, "retry_failed=true")
    output, errors = retried.communicate()
    assert retried.returncode == 0, errors
    whole = {one.run_id for one in first if one.status == "finished"}
    last = records(tmp_path)
    assert whole < {one.run_id for one in last}
    assert {one.status for one in last} == {"finished"}
    kept = [read(path).run_id for path in tmp_path.glob("runs/*/*/*/*/attempts/*.json")]
    assert sorted(kept) == sorted(one.run_id for one in dead)
