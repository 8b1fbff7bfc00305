"""Time and memory of all three tables from many records, each record written by the real writer.

    python -m benchmarks.tables_scale [--records 10000 100000] [--out FOLDER] [--quick]

The command runs in a process of its own, as a user's would; its memory is the peak of its
resident sets, children included. Generating the records is not part of the time.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from analysis import published_facts as published
from benchmarks.results import Result, parser, report
from metering import record as records
from metering.record import Energy, Interval, PhaseRecord, Reading, Record, Sensor

GOALS = {10_000: (5.0, 1e3), 100_000: (40.0, 1e3)}  # seconds, MB
HARDWARE = ("a6000", "v100", "rtx3090", "a100", "h100")
BATCH_SIZES = (8, 16, 32, 64)
SENSORS = {
    "gpu": Sensor("counter", "NVML"),
    "cpu": Sensor("rapl", "package"),
    "ram": Sensor("modelled", "constant"),
}


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--records", type=int, nargs="+", default=sorted(GOALS))
    made.add_argument("--blocks", type=int, default=8, help="readings per phase")
    options = made.parse_args()
    sizes = [500, 1_000] if options.quick else options.records
    report("tables_scale", scale(sizes, options.blocks), options)


def scale(sizes: list[int], num_blocks: int) -> list[Result]:
    """Seconds and peak memory at each size, and how they grow between the last two."""
    results, seconds = [], {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "records"
            generate(folder, size, num_blocks)
            seconds[size], peak_bytes = measure(folder, Path(scratch) / "out")
        goal_s, goal_mb = GOALS.get(size, (5.0, 1e3))
        claim = f"tables scale: all tables from {size} records"
        results += [
            Result(f"{claim}, time", seconds[size], goal_s, "at most", "s"),
            Result(f"{claim}, peak memory", peak_bytes / 1e6, goal_mb, "at most", "MB"),
        ]
    if len(sizes) > 1:
        few, many = sizes[-2:]
        growth = (seconds[many] / seconds[few]) / (many / few)
        claim = f"tables scale: growth of time over growth of records, {few} to {many}"
        results.append(Result(claim, growth, 1.1, "at most", detail="1 is linear"))
    return results


def generate(folder: Path, num_records: int, num_blocks: int) -> None:
    """Runs of all rows of Table 3 on several machines; many agree and are merged."""
    # a durable write per record would take longer than all else here
    os.fsync = lambda descriptor: None  # type: ignore[assignment]
    draw = random.Random(0)
    names = published.wide(published.IMAGENET)["model"].tolist()
    recipes = published.paper_recipes()
    for index in range(num_records):
        row = names[index % len(names)]
        recipe = recipes[(row, published.IMAGENET)].stages
        record = _record(row, index, draw, num_blocks)
        records.write(replace(record, recipe=recipe), folder / f"{index // 1000}" / f"{index}")


def _record(row: str, index: int, draw: random.Random, num_blocks: int) -> Record:
    hardware = draw.choice(HARDWARE)
    rate = 1e-6 * draw.uniform(0.9, 1.1)
    batch_size = draw.choice(BATCH_SIZES)
    return Record(
        status="finished",
        identity=f"{index:016x}",
        task="classification",
        model=row.lower().replace(" ", "_").replace("/", ""),
        paper_row=row,
        data="synthetic",
        hardware=hardware,
        batch_size=batch_size,
        precision="fp32",
        stage="supervised",
        started_at=f"2024-01-01T00:00:{index % 60:02d}.000+00:00",
        ended_at="2024-01-01T01:00:00.000+00:00",
        config={"scale": "full", "data": {"fraction": 1.0}, "hardware": {"devices": 1}},
        code={"version": "0.1.0"},
        host={"gpus": [{"name": hardware.upper()}]},
        phases={
            "train": _phase("train", rate, batch_size, draw, num_blocks),
            "test": _phase("test", rate / 4, batch_size, draw, num_blocks),
        },
    )


def _phase(
    phase: records.Phase, rate: float, batch_size: int, draw: random.Random, num_blocks: int
) -> PhaseRecord:
    blocks = []
    for at in range(num_blocks):
        kwh = rate * 10 * batch_size * draw.gauss(1, 0.01)
        energy = Energy(gpu_kwh=0.8 * kwh, cpu_kwh=0.1 * kwh, ram_kwh=0.1 * kwh)
        own = Energy(gpu_kwh=0.8 * kwh)
        blocks.append(Reading(float(at), 1.0, 10, 10 * batch_size, energy, own, data_wait_s=0.01))
    return PhaseRecord(
        phase=phase,
        readings=tuple(blocks),
        sensors=SENSORS,  # type: ignore[arg-type]
        energy_kwh_per_sample=Interval(rate, 0.02 * rate, num_blocks=num_blocks),
        duration_s_per_sample=Interval(1e-3, 1e-5, num_blocks=num_blocks),
        stop_reason="relative_error",
        batch_size=batch_size,
    )


def measure(folder: Path, out: Path) -> tuple[float, float]:
    """Wall seconds of `python -m analysis tables`, and the peak of its memory, bytes."""
    command = [sys.executable, "-m", "analysis", "tables", str(folder), "--out", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = [0.0]
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    status = process.wait()
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"processor time {used.ru_utime + used.ru_stime:.1f} s; load of the machine now "
          f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
    watcher.join()
    if status:
        raise SystemExit(f"the tables command ended with {status}")
    return seconds, peak[0]


def watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    """Largest sum of resident sets of the process and its children, seen every 0.1 s."""
    import psutil

    while process.poll() is None:
        try:
            top = psutil.Process(process.pid)
            sizes = [one.memory_info().rss for one in (top, *top.children(recursive=True))]
            peak[0] = max(peak[0], float(sum(sizes)))
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.1)


if __name__ == "__main__":
    main()
