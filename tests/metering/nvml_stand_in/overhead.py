"""What the meter takes of a window's time over stand-in boards whose library is slow:

    python -m tests.metering.nvml_stand_in.overhead [--boards 8] [--call-ms 3] [--seconds 60]

Steps sleep, so the device's wait is what passes between two of them, and nearly all CPU time is the
meter's. Both are told as shares of the window's time, from its tenth second on (blocks have grown
by then); the goal of the wait is 0.3 %.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from metering.meter import Meter
from metering.ranks import OneRank
from metering.sensors.nvml import job_gpus
from metering.settings import MeterSettings
from tests.metering.nvml_stand_in.state import StandIn, StandInGpu, compile_library

STEP_S, FROM_S = 0.02, 10.0


def measured(folder: Path, seconds: float) -> dict[str, float]:
    """In a process that finds the stand-in as NVML."""
    num_gpus = len(job_gpus())
    settings = MeterSettings(relative_error=1e-9, idle_s=0.0)  # ends when `seconds` are over
    meter = Meter(settings, folder=folder, ranks=OneRank(), use_gpu=True, num_gpus=num_gpus)
    waited_s = cpu_s = began_s = 0.0
    with meter, meter.window("train", 1) as window:
        window.open()
        opened_s = time.perf_counter()
        done = False
        while not done:
            time.sleep(STEP_S)
            ended_s = time.perf_counter()
            if not began_s and ended_s - opened_s > FROM_S:
                began_s, cpu_s, waited_s = ended_s, time.process_time(), 0.0
            done = window.step(1) or ended_s - opened_s > seconds
            waited_s += time.perf_counter() - ended_s
        over_s = time.perf_counter() - began_s
        cpu_s = time.process_time() - cpu_s
    kept = [one for one in window.result().readings if one.use == "measured"]
    return {
        "boards": num_gpus,
        "seconds": over_s,
        "wait_percent": 100 * waited_s / over_s,
        "cpu_percent_of_a_core": 100 * cpu_s / over_s,
        "gap_percent": 100 * sum(one.gap_s for one in kept) / sum(one.duration_s for one in kept),
        "block_s": sum(one.duration_s for one in kept) / len(kept),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=8)
    parser.add_argument("--call-ms", type=float, default=3.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    if "NVML_STAND_IN" in os.environ:
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(measured(Path(place), options.seconds), indent=1))
        return 0
    with tempfile.TemporaryDirectory() as place:
        gpus = [
            StandInGpu(f"GPU-{n}", latency_s=options.call_ms / 1000) for n in range(options.boards)
        ]
        stand_in = StandIn(Path(place), gpus).write()
        environment = stand_in.environment(compile_library(Path(place)))
        command = [sys.executable, "-m", __spec__.name, *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
