"""`python -m benchmarks --out FOLDER`: every benchmark in a process of its own, then one table.

Ends with 1 when a goal was missed or a benchmark failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.results import Result, parser, table

NAMES = (
    "training_loop",
    "metering_overhead",
    "api_overhead",
    "estimate",
    "sweep_waste",
    "input_pipeline",
    "start_up",
    "tables_scale",
    "slurm_launching",
    "peak_memory",
    "run_spread",
)


def parsed(arguments: list[str]) -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument(
        "names",
        nargs="*",
        type=_known,
        default=NAMES,
        metavar="NAME",
        help=f"of {', '.join(NAMES)}",
    )
    return made.parse_args(arguments)


def _known(name: str) -> str:
    if name not in NAMES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(NAMES)}")
    return name


def main() -> int:
    options = parsed(sys.argv[1:])
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch)
        results, failed = [], []
        for name in options.names:
            print(f"{name} ...", file=sys.stderr, flush=True)
            command = [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                f"benchmarks.{name}",
                "--out",
                str(out),
            ]
            command += ["--quick"] if options.quick else []
            if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
                failed.append(name)
                continue
            for kept in json.loads((out / f"{name}.json").read_text(encoding="utf-8"))["results"]:
                del kept["held"]
                results.append(Result(**kept))
    print(table(results))
    for name in failed:
        print(f"failed: {name}; see python -m benchmarks.{name}", file=sys.stderr)
    return int(bool(failed) or not all(result.held for result in results))


if __name__ == "__main__":
    sys.exit(main())
