"""What the tests of the stand-in run as a process of its own, since NVML is loaded once a process:
`python -m tests.metering.nvml_stand_in.script NAME FOLDER` prints what was read, as JSON."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from metering.meter import Meter
from metering.ranks import OneRank
from metering.sensors.codecarbon import CodeCarbonMeter
from metering.sensors.nvml import job_gpus
from metering.sensors.own_readers import OwnReaders
from metering.settings import MeterSettings


def readers(folder: Path) -> object:
    """Both readers of one GPU over the same second: joules, and the shortest and the longest time
    that each may have read."""
    del folder
    own = OwnReaders(job_gpus()[:1])
    other = CodeCarbonMeter(Path(sys.argv[2]), [own.gpus[0].index], "GBR", nvidia=True)
    opened_s = time.monotonic()
    other.begin()
    began_s = time.monotonic()
    before = own.snapshot()
    slept_from_s = time.monotonic()
    time.sleep(1.5)
    slept_to_s = time.monotonic()
    after = own.snapshot()
    ended_s = time.monotonic()
    both = own.between(before, after, ended_s - began_s), other.end()
    closed_s = time.monotonic()
    own.close()
    other.stop()
    return {
        # a busy machine may stop this process between any two lines
        "own_s": (slept_to_s - slept_from_s, ended_s - began_s),
        "codecarbon_s": (ended_s - began_s, closed_s - opened_s),
        "period_s": own.period_s,
        "own_j": (both[0].energy.gpu_kwh or 0) * 3.6e6,
        "watched_j": both[0].watched_j,
        "codecarbon_j": (both[1].energy.gpu_kwh or 0) * 3.6e6,
        "fault": both[0].fault,
        "sensor": asdict(other.sensors()["gpu"]),
    }


def window(folder: Path) -> object:
    """A window of steps of 20 ms, three seconds long, on all GPUs of the job."""
    gpus = job_gpus()
    settings = MeterSettings(time_budget_s=4.0, block_s=0.5, idle_s=0.0, max_dropped_share=1.0)
    meter = Meter(settings, folder=folder, ranks=OneRank(), use_gpu=True, num_gpus=len(gpus))
    began_s = time.perf_counter()
    with meter:
        opened_s = time.perf_counter()
        with meter.window("train", 1) as made:
            made.open()
            while True:
                time.sleep(0.02)
                if made.step(1):
                    break
        closed_s = time.perf_counter()
    record = made.result()
    return {
        "start_s": opened_s - began_s,
        "window_s": closed_s - opened_s,
        "w": record.energy_kwh_per_sample.mean / record.duration_s_per_sample.mean * 3.6e6,
        "flags": record.flags,
        "sensors": {name: asdict(one) for name, one in record.sensors.items()},
        "blocks": [asdict(one) for one in record.readings],
        "task_cost_s": meter.task_cost_s,
    }


if __name__ == "__main__":
    name, place = sys.argv[1:]
    answer = {"readers": readers, "window": window}[name](Path(place))
    print(json.dumps(answer))
