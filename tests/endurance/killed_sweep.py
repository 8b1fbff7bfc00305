"""Kill a sweep in one process at random moments, start it again each time, and let it end; prints
JSON.

    python -m tests.endurance.killed_sweep FOLDER NUM_KILLS

Every sweep is a fork of this process, which has the libraries imported already: the kills then
fall into the runs and not into the imports.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import runpy
import signal
import sys
import time
from pathlib import Path

from metering.record_file import read
from tests.conftest import ROOT
from tests.endurance import TINY

IMPORTED_FIRST = (
    "torch",
    "timm",
    "torch._dynamo",
    "codecarbon",
    "tasks.running.execute",
    "tasks.classification.session",
)

MAX_WAIT_S = 3.0


def start(folder: Path, num_runs: int) -> int:
    """`python run.py -m repetition=1,2,...` in a fork; its process id."""
    process_id = os.fork()
    if process_id:
        return process_id
    log = os.open(folder / "sweeps.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = [
        "run.py",
        "-m",
        f"repeats={num_runs}",
        f"repetition={','.join(map(str, range(1, num_runs + 1)))}",
        *TINY,
        "hydra.launcher.isolate=false",
        f"output_dir={folder / 'runs'}",
        f"data.cache_dir={folder / 'cache'}",
    ]
    status = 1
    try:
        runpy.run_path(str(ROOT / "run.py"), run_name="__main__")
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(status)


def ends_within(process_id: int, seconds: float) -> bool:
    """Whether the sweep came to its end by itself; else it is killed."""
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        if os.waitpid(process_id, os.WNOHANG)[0]:
            return True
        time.sleep(0.002)
    os.kill(process_id, signal.SIGKILL)
    os.waitpid(process_id, 0)
    return False


def finished(folder: Path) -> dict[str, str]:
    """By folder, when each finished run began; raises if a record is not whole."""
    records = {path: read(path) for path in folder.glob("runs/*/*/*/*/record.json")}
    return {
        path.parent.name: one.started_at
        for path, one in records.items()
        if one.status == "finished"
    }


def time_of_a_run(folder: Path) -> float:
    """Seconds of a sweep of one run, after another that wrote the data."""
    folder.mkdir(parents=True)
    os.waitpid(start(folder, 1), 0)
    began_s = time.monotonic()
    os.waitpid(start(folder, 2), 0)
    return min(MAX_WAIT_S, time.monotonic() - began_s)


def main(folder: Path, num_kills: int) -> None:
    for name in IMPORTED_FIRST:
        importlib.import_module(name)
    run_s = time_of_a_run(folder / "warm-up")
    draw = random.Random(0)
    seen: dict[str, str] = {}
    kills, num_runs = 0, 2 + num_kills // 4
    while kills < num_kills:
        if ends_within(start(folder, num_runs), draw.uniform(0, 1.5 * run_s)):
            num_runs += 2
        else:
            kills += 1
        for identity, began_at in finished(folder).items():
            seen.setdefault(identity, began_at)
    _, status = os.waitpid(start(folder, num_runs), 0)
    print(json.dumps({"kills": kills, "runs": num_runs, "status": status, "seen": seen}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
