"""Other processes' CPU time is in the machine's CPU energy, and said so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from metering.sensors.host_load import CpuTimes, flags, read


@contextmanager
def burning() -> Iterator[int]:
    """The id of a process that keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def seconds_of(pid: int, duration_s: float) -> tuple[float, float]:
    """CPU seconds of that process, and of the whole machine, while time passes."""
    before = read([pid])
    time.sleep(duration_s)
    after = read([pid])
    return after.own_s - before.own_s, after.used_s - before.used_s


def test_the_runs_own_processes_are_told_from_others() -> None:
    with burning() as mine, burning():
        own_s, used_s = seconds_of(mine, 0.5)
    assert 0 < own_s < 0.8 * used_s


def test_children_belong_to_the_run() -> None:
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    process = subprocess.Popen([sys.executable, "-c", parent], start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        own_s = 0.0
        while own_s < 0.05 and time.monotonic() < deadline:
            own_s, _ = seconds_of(process.pid, 0.3)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert own_s >= 0.05  # the parent only waits


def test_a_busy_neighbour_is_flagged_and_a_quiet_machine_is_not() -> None:
    start = CpuTimes(used_s=100.0, own_s=10.0, stolen_s=0.0)
    shared = CpuTimes(used_s=120.0, own_s=25.0, stolen_s=0.0)
    (flag,) = flags(start, shared)
    assert "other processes took 25 % of the CPU time" in flag
    assert flags(start, CpuTimes(used_s=120.0, own_s=29.5, stolen_s=0.1)) == ()


def test_time_that_a_hypervisor_took_is_flagged() -> None:
    start = CpuTimes(0.0, 0.0, 0.0)
    (flag,) = flags(start, CpuTimes(used_s=9.0, own_s=9.0, stolen_s=1.0))
    assert flag == "other virtual machines took 10 % of this one's CPU time"
    assert flags(start, start) == ()
