"""What a sweep spends outside its measured windows, and the time between two of its runs.

    python -m benchmarks.sweep_waste [--out FOLDER] [--quick]

Ten runs of the user's own command in one sweep: the share of its wall time inside measured
windows (start of Python included), and what a run adds to the sweep beside its blocks and its
checkpoint write: start, set-up, idle power, the change of phase.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks.results import Result, parser, report
from metering.record import Record
from metering.record_file import read

ROOT = Path(__file__).resolve().parent.parent


def measured_s(record: Record) -> float:
    """Seconds inside blocks, warm-up blocks included: they are metered too."""
    return sum(block.duration_s for phase in record.phases.values() for block in phase.readings)


def checkpoint_s(record: Record) -> float:
    """Seconds of the checkpoint write after training; 0.0 where none was written."""
    return sum(
        overhead.duration_s for overhead in record.overheads if overhead.name == "checkpoint"
    )


def gaps_s(records: list[Record]) -> list[float]:
    """Seconds that each run but the first adds to a sweep beside its blocks and the checkpoint
    write, which is metered too: start, set-up, idle power, the change of phase."""
    gaps = []
    for before, after in itertools.pairwise(records):
        began = datetime.fromisoformat(after.started_at)
        between = (began - datetime.fromisoformat(before.ended_at)).total_seconds()
        whole = (datetime.fromisoformat(after.ended_at) - began).total_seconds()
        gaps.append(between + whole - measured_s(after) - checkpoint_s(after))
    return gaps


def waste(num_runs: int, budget_s: float) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            str(ROOT / "run.py"),
            "-m",
            "model=mobilenet_v2,resnet18",
            f"repeats={num_runs // 2}",
            f"repetition={','.join(map(str, range(1, num_runs // 2 + 1)))}",
            "batch_size=8",
            f"meter.time_budget_s={budget_s}",
            "meter.relative_error=0.001",
            f"output_dir={folder}",
        ]
        began_s = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wall_s = time.perf_counter() - began_s
        records = [read(path) for path in Path(folder).rglob("record.json")]
    records.sort(key=lambda record: record.started_at)
    gaps = gaps_s(records)
    share = sum(map(measured_s, records)) / wall_s
    words = f"{len(records)} runs of two phases of {budget_s:.0f} s"
    return [
        Result(
            "a sweep wastes little: wall time inside measured windows",
            share,
            0.8,
            "at least",
            detail=words,
        ),
        Result(
            "a sweep wastes little: time between two runs, set-up and idle power in it, the "
            "checkpoint write (metered too) not, median",
            median(gaps),
            3.0,
            "at most",
            "s",
            f"longest {max(gaps):.1f} s, 1 s of them idle power; "
            f"checkpoint write {median(map(checkpoint_s, records)):.1f} s",
        ),
    ]


def main() -> None:
    options = parser(__doc__).parse_args()
    report("sweep_waste", waste(*((2, 3.0) if options.quick else (10, 8.0))), options)


if __name__ == "__main__":
    main()
