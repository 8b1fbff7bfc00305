"""A disk that fills up while a sweep runs: a clear error, whole earlier records, and the same
command goes on once there is room."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metering.record import Record
from metering.record_file import read
from tests.conftest import ROOT
from tests.endurance import TINY

SIZE_BYTES = 4 * 2**20
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """`folder` as a disk of `SIZE_BYTES`; False where this user may not mount one."""
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={SIZE_BYTES}".encode()
    mounted = libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options) == 0
    try:
        yield mounted
    finally:
        if mounted:
            libc.umount2(os.fsencode(folder), 2)


def sweep(disk: Path, cache_dir: Path, numbers: str, limit: int | None = None) -> subprocess.Popen:
    """`python run.py -m repetition=...`; `limit`: no file may grow longer, bytes."""
    script = LIMIT.format(limit) if limit else ""
    script += "import runpy; runpy.run_path('run.py', run_name='__main__')"
    asked = ("-m", "repeats=3", f"repetition={numbers}", *TINY)
    arguments = [*asked, f"output_dir={disk}", f"data.cache_dir={cache_dir}"]
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def records(disk: Path) -> dict[int, Record]:
    """By repetition; every file that is there must be whole."""
    records_on_disk = [read(path) for path in disk.rglob("record.json")]
    return {record.config["repetition"]: record for record in records_on_disk}


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (2**16, 2**10, 1):
            try:
                while filler.write(b"x" * size) == size:
                    pass
            except OSError:
                continue


def assert_one_clear_error(process: subprocess.Popen, words: str) -> None:
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 2, errors
    complaints = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(complaints) == 1, errors
    assert words in complaints[0] and "output_dir" in complaints[0]
    assert "Traceback" not in errors


def test_a_disk_that_fills_up_during_a_sweep(tmp_path, cache_dir):
    disk = tmp_path / "disk"
    with small_disk(disk) as mounted:
        if mounted:
            process, deadline_s = sweep(disk, cache_dir, "1,2,3"), time.monotonic() + 120
            while not records(disk) and process.poll() is None and time.monotonic() < deadline_s:
                time.sleep(0.01)
            fill(disk)
            assert_one_clear_error(process, "No space left on device")
        else:  # nobody but root may mount: a disk on which files stop growing is as full
            first = sweep(disk, cache_dir, "1")
            assert first.wait(200) == 0, first.communicate()[1]
            assert_one_clear_error(sweep(disk, cache_dir, "1,2,3", limit=4096), "File too large")
        earlier = records(disk)
        assert earlier[1].status == "finished"
        assert not list(disk.rglob("*.tmp"))

        (disk / "filler").unlink(missing_ok=True)
        again = sweep(disk, cache_dir, "1,2,3")
        output, errors = again.communicate(timeout=200)
        assert again.returncode == 0, errors
        assert "3 finished" in output
        done = records(disk)
        assert done[1] == earlier[1]
        assert {record.status for record in done.values()} == {"finished"}
        assert len(done) == 3
