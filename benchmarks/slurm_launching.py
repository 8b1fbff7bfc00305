"""Submitting 500 runs: calls to sbatch, time and memory of the launcher.

    python -m benchmarks.slurm_launching [--out FOLDER] [--quick]

50 models on five hardware profiles, twice: groups are swept, which is what takes time to compose.
`sbatch` and `squeue` are scripts first on PATH that write their calls down and answer at once, so
what is measured is the launcher: composing, pickling, grouping, submitting. The command is the
user's own, with `hydra.launcher.wait=false`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.results import Result, parser, report
from benchmarks.tables_scale import watch

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ("a6000", "a100", "t4", "h100", "h100x8")
NUM_BATCHES = 2
SBATCH = """#!/bin/sh
echo "$@" >> "$SBATCH_CALLS"
number=$(wc -l < "$SBATCH_CALLS")
echo "Submitted batch job $number"
"""
MEMORY_MB = 500  # goal of our own: a login node's user may have little


def classifiers() -> list[str]:
    """Names of the models in `conf/model/` that classify images."""
    files = sorted((ROOT / "conf" / "model").glob("*.yaml"))
    return [path.stem for path in files if "override /data" not in path.read_text("utf-8")]


def launch(num_runs: int) -> list[Result]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        calls = folder / "calls"
        calls.touch()
        for name, text in (("sbatch", SBATCH), ("squeue", "#!/bin/sh\n"), ("srun", "#!/bin/sh\n")):
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o755)
        batches = ",".join(str(32 * number) for number in range(1, NUM_BATCHES + 1))
        models = classifiers()[: num_runs // (len(PROFILES) * NUM_BATCHES)]
        command = [
            sys.executable,
            str(ROOT / "run.py"),
            "-m",
            f"model={','.join(models)}",
            f"hardware={','.join(PROFILES)}",
            f"batch_size={batches}",
            "hydra/launcher=slurm",
            "hydra.launcher.wait=false",
            f"output_dir={folder / 'runs'}",
        ]
        changes = {"PATH": f"{folder}:{os.environ['PATH']}", "SBATCH_CALLS": str(calls)}
        began_s, peak = time.perf_counter(), [0.0]
        process = subprocess.Popen(
            command, env=os.environ | changes, stdout=subprocess.PIPE, text=True
        )
        watcher = threading.Thread(target=watch, args=(process, peak))
        watcher.start()
        output, _ = process.communicate()
        seconds = time.perf_counter() - began_s
        watcher.join()
        if process.returncode or f"{num_runs} runs submitted" not in output:
            raise SystemExit(f"the launcher ended with {process.returncode}: {output[-2000:]}")
        num_calls = len(calls.read_text(encoding="utf-8").splitlines())
        num_tickets = len(list((folder / "runs/.slurm/tickets").glob("*.json")))
        if num_tickets != num_runs:
            raise SystemExit(f"{num_tickets} tickets were written for {num_runs} runs")
    claim = f"SLURM launching scales: {num_runs} runs on {len(PROFILES)} profiles"
    return [
        Result(f"{claim}, calls to sbatch", num_calls, len(PROFILES), "at most", "calls"),
        Result(f"{claim}, time", seconds, 30.0, "at most", "s"),
        Result(f"{claim}, launcher's memory", peak[0] / 1e6, MEMORY_MB, "at most", "MB"),
    ]


def main() -> None:
    options = parser(__doc__).parse_args()
    report("slurm_launching", launch(20 if options.quick else 500), options)


if __name__ == "__main__":
    main()
