"""A whole training: what it really used, each part told apart, nothing lost and nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import watt_for_what as watt
from metering.block import preferred
from tests.conftest import ROOT


def used_s(record: watt.Record) -> float:
    blocks = [one.duration_s for phase in record.phases.values() for one in phase.readings]
    return sum(blocks) + sum(one.duration_s for one in record.overheads)


def test_each_moment_is_in_one_part(measure_whole):
    with measure_whole("whole", batch_size=4, training_id="one") as run:
        began_s = time.perf_counter()
        time.sleep(0.1)  # set-up
        for _ in range(2):
            with run.window("train") as train:
                for at in range(6):
                    time.sleep(0.02)
                    assert train.step(4) is False
                    if at == 2:
                        with run.window("test") as test:
                            for _ in range(3):
                                time.sleep(0.02)
                                test.step(2)
                        with run.checkpoint():
                            time.sleep(0.05)
                time.sleep(0.06)  # after the last step
            time.sleep(0.04)  # between epochs
        wall_s = time.perf_counter() - began_s
    record = run.record
    steps = {name: sum(r.num_steps for r in p.readings) for name, p in record.phases.items()}
    assert steps == {"train": 12, "test": 6}
    assert record.phases["train"].num_samples == 48, "every step counts, warm-up too"
    parts = {one.name: one.duration_s for one in record.overheads}
    assert parts["set-up"] >= 0.1 and parts["checkpoint"] >= 0.1
    assert parts["outside of steps"] >= 0.08
    test_s = sum(one.duration_s for one in record.phases["test"].readings)
    assert test_s >= 0.12
    slept_s = 0.1 + 12 * 0.02 + 6 * 0.02 + 2 * (0.05 + 0.06 + 0.04)
    assert slept_s <= used_s(record) <= wall_s, "nothing is lost, and nothing is counted twice"
    assert record.training_id == "one"
    kwh = sum(energy.total_kwh for energy in watt.used([record]).values())
    blocks = [preferred(one).total_kwh for p in record.phases.values() for one in p.readings]
    assert kwh == pytest.approx(sum(blocks) + sum(o.energy.total_kwh for o in record.overheads))


def test_windows_that_cannot_be(measure_whole):
    with (
        pytest.raises(watt.WattError, match="window\\('train'\\) inside itself"),
        measure_whole("twice", batch_size=4) as run,
        run.window("train"),
        run.window("train"),
    ):
        pass
    assert run.record.status == "failed"


KILLED = """
import os, signal, sys, time
import watt_for_what as watt
import watt_for_what.run
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever the tests were started with
watt_for_what.run.KEEP_EVERY_S = 0.0
with watt.measure("killed", batch_size=2, whole=True, training_id="t", output_dir=sys.argv[1]) as run:
    with run.window("train") as window:
        for step in range(10_000):
            time.sleep(0.005)
            window.step(2)
            if step == 20:
                os.kill(os.getpid(), getattr(signal, sys.argv[2]))
"""  # noqa: E501


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_a_part_that_is_ended_stays_and_the_next_part_lies_beside_it(name, tmp_path, measure_whole):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), name],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    number = getattr(signal, name)
    assert done.returncode == (-number if name == "SIGKILL" else 128 + number), done.stderr
    said = dict(batch_size=2, training_id="t")
    with measure_whole("killed", **said) as run, run.window("train") as window:
        window.step(2)
    records = [watt.read_record(path) for path in sorted(tmp_path.rglob("record.json"))]
    assert [one.status for one in records] == ["interrupted", "finished"]
    assert {one.training_id for one in records} == {"t"}
    steps = [sum(r.num_steps for r in one.phases["train"].readings) for one in records]
    assert steps[1] == 1 and 0 < steps[0] <= 21
    assert run.folder.name.endswith("-2")


LOSES_ITS_WORKER_FIRST = """
import os, subprocess, sys
import watt_for_what as watt
from torch.utils.data import DataLoader, IterableDataset

class Endless(IterableDataset):
    def __iter__(self):
        while True:
            yield 0

with watt.measure("loses", batch_size=1, output_dir=sys.argv[1]) as run:
    with run.window("train") as window:
        loader = iter(DataLoader(Endless(), num_workers=1, batch_size=None))
        (worker,) = loader._workers
        next(loader)
        subprocess.Popen(["sh", "-c", f"kill {worker.pid}; sleep 0.3; kill {os.getpid()}"])
        for _ in loader:
            window.step(1)
"""


@pytest.mark.trains
def test_a_signal_that_ends_a_loaders_worker_first_still_interrupts_the_run(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOSES_ITS_WORKER_FIRST, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    (path,) = tmp_path.rglob("record.json")
    assert watt.read_record(path).status == "interrupted"
