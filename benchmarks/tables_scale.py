"""Time and memory of all three tables from many records, varied copies of the shipped ones.

    python -m benchmarks.tables_scale [--records 10000 100000] [--out FOLDER] [--quick]

The command runs in a process of its own, as a user's would; its memory is the peak of its
resident sets, children included. Generating the records is not part of the time. 100,000 of
them take 2.6 GB of disk while it runs.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic_core

from benchmarks.results import Result, parser, report
from metering.record import FILE_NAME

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "results" / "records" / "small"  # of all tasks, in schema 1
GOALS = {10_000: (5.0, 1e3), 100_000: (40.0, 1e3)}  # seconds, MB
HARDWARE = ("a6000", "v100", "rtx3090", "a100", "h100")
BATCH_FACTORS = (1, 2, 4, 8)


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--records", type=int, nargs="+", default=sorted(GOALS))
    options = made.parse_args()
    sizes = [500, 1_000] if options.quick else options.records
    report("tables_scale", scale(sizes), options)


def scale(sizes: list[int]) -> list[Result]:
    """Seconds and peak memory at each size, and how they grow between the last two."""
    # the first start also reads the libraries from disk, which is nobody's growth
    starts = [_measured(0) for _ in range(3)]
    used = {0: min(starts, key=lambda turn: turn.seconds)}
    results: list[Result] = []
    for size in sizes:
        used[size] = turn = _measured(size)
        goal_s, goal_mb = GOALS.get(size, (5.0, 1e3))
        claim = f"tables scale: all tables from {size} records"
        results += [
            Result(f"{claim}, time", turn.seconds, goal_s, "at most", "s", str(turn)),
            Result(f"{claim}, peak memory", turn.peak_bytes / 1e6, goal_mb, "at most", "MB"),
        ]
    if len(sizes) > 1:
        few, many = sizes[-2:]
        claim = f"tables scale: growth of time over growth of records, {few} to {many}"
        seconds = {size: turn.seconds for size, turn in used.items()}
        processor = {size: turn.processor_s for size, turn in used.items()}
        detail = (
            f"1 is linear; {seconds[0]:.2f} s without records are taken off both; "
            f"{growth(processor, few, many):.2f} by processor time"
        )
        results.append(Result(claim, growth(seconds, few, many), 1.1, "at most", detail=detail))
    return results


def growth(seconds: Mapping[int, float], few: int, many: int) -> float:
    """How the time that records take grows over how their number does: 1 is linear. `seconds`
    by number of records; those of none, the start of the command, belong to no record."""
    return (seconds[many] - seconds[0]) / (seconds[few] - seconds[0]) / (many / few)


def generate(folder: Path, num_records: int) -> None:
    """Copies of the shipped records in turn, on several machines and batch sizes: repeats of a
    set-up differ in seed, identity, start and energy, and are merged as real ones would be."""
    draw = random.Random(0)
    shipped = [path.read_bytes() for path in sorted(SHIPPED.rglob(FILE_NAME))]
    for index in range(num_records):
        path = folder / f"{index // 1000}" / f"{index}" / FILE_NAME
        path.parent.mkdir(parents=True)
        data = _varied(json.loads(shipped[index % len(shipped)]), index, draw)
        path.write_bytes(pydantic_core.to_json(data, indent=1))


def _varied(data: dict[str, Any], index: int, draw: random.Random) -> dict[str, Any]:
    factor, times = draw.gauss(1, 0.02), draw.choice(BATCH_FACTORS)
    data["identity"], data["run_id"] = f"{index:016x}", f"{index:032x}"
    data["started_at"] = f"2024-01-{index // 86_400 + 1:02d}T" + time.strftime(
        "%H:%M:%S.000+00:00", time.gmtime(index)
    )
    data["hardware"] = data["config"]["hardware"]["name"] = draw.choice(HARDWARE)
    data["host"]["cpu_model"] = f"CPU of {data['hardware']}"
    data["config"]["seed"] = index
    data["batch_size"] = data["config"]["batch_size"] = data["batch_size"] * times
    for phase in data["phases"].values():
        phase["batch_size"] *= times
        if phase.get("emissions_kg_co2eq"):
            phase["emissions_kg_co2eq"] *= factor
        rate = phase["energy_kwh_per_sample"] or {}
        for name in ("mean", "half_width"):
            if rate.get(name) is not None:
                rate[name] *= factor
        for block in phase["readings"]:
            energy = block["energy"]
            energy |= {name: kwh and kwh * factor for name, kwh in energy.items()}
    return data


@dataclass(frozen=True)
class Used:
    """What one run of the command took. load_average: of the machine, when it ended."""

    seconds: float
    processor_s: float
    peak_bytes: float
    load_average: float

    def __str__(self) -> str:
        return (
            f"{self.processor_s:.1f} s of processor time, load average "
            f"{self.load_average:.1f} on {os.cpu_count()} cores"
        )


def _measured(num_records: int) -> Used:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "runs").mkdir()
        generate(Path(scratch) / "runs", num_records)
        return measure(Path(scratch))


def measure(folder: Path) -> Used:
    """`python -m analysis tables runs` in `folder`: its default folder, which may be empty."""
    command = [sys.executable, "-m", "analysis", "tables", "runs", "--out", "out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    before, started = _processor_s(), time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    peak = [0.0]
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    status = process.wait()
    seconds = time.perf_counter() - started
    watcher.join()
    if status:
        raise SystemExit(f"the tables command ended with {status}")
    return Used(seconds, _processor_s() - before, peak[0], os.getloadavg()[0])


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    """Largest sum of resident sets of the process and its children, seen every 0.1 s."""
    import psutil

    while process.poll() is None:
        try:
            top = psutil.Process(process.pid)
            sizes = [process.memory_info().rss for process in (top, *top.children(recursive=True))]
            peak[0] = max(peak[0], float(sum(sizes)))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.1)


if __name__ == "__main__":
    main()
