"""Eight processes write records at once while another reads: none is lost, none is ever torn."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.records.load import load
from metering.record import FILE_NAME
from metering.record_file import read, write
from tests.analysis.sample_records import a_record
from tests.endurance import FULL

NUM_PROCESSES = 8
SECONDS = 60.0 if FULL else 4.0


def write_for_a_while(top: str, writer: int, ready: Any, counts: Any) -> None:
    """Records of its own, and now and then the one that all writers share."""
    record, number = a_record(), 0
    ready.wait(60)
    until_s = time.monotonic() + SECONDS
    while time.monotonic() < until_s:
        mine = replace(record, run_id=f"{writer:016x}{number:016x}")
        write(mine, Path(top) / f"{writer}" / f"{number}")
        if number % 5 == 0:
            write(mine, Path(top) / "shared")
        number += 1
    counts.put((writer, number))


def test_no_record_is_lost_or_torn(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    counts, ready = context.Queue(), context.Barrier(NUM_PROCESSES + 1)
    write(a_record(), tmp_path / "shared")
    writers = [
        context.Process(target=write_for_a_while, args=(str(tmp_path), n, ready, counts))
        for n in range(NUM_PROCESSES)
    ]
    for process in writers:
        process.start()
    ready.wait(60)
    num_reads = 0
    while any(process.is_alive() for process in writers) and counts.qsize() < NUM_PROCESSES:
        assert read(tmp_path / "shared" / FILE_NAME).model == "swin_t"
        num_reads += 1
    written = dict(counts.get(timeout=60) for _ in writers)
    for process in writers:
        process.join(60)
        assert process.exitcode == 0
    assert num_reads > 10
    assert sum(written.values()) > NUM_PROCESSES

    loaded = load([tmp_path])
    assert loaded.problems == ()
    wanted = {f"{w:016x}{n:016x}" for w, count in written.items() for n in range(count)}
    assert wanted <= set(loaded.frame["run_id"])
    assert not list(tmp_path.rglob("*.tmp"))
