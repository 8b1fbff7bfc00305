"""The meter's claims on a real NVIDIA GPU, kept under its name and the date: `make gpu-check`.

    python -m benchmarks.gpu_check [--out FOLDER] [--quick]

What the doctor says, the tests marked `gpu`, then what metering costs and how right an estimate is
on this GPU. Everything lands in `benchmarks/results/<date>-<GPU>/`: `doctor.json`, `tests.txt` and
one JSON a benchmark. Ends with 1 when a test failed or a goal was missed, with 2 without a GPU.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.results import parser

RESULTS = Path(__file__).parent / "results"
BENCHMARKS = ("metering_overhead", "estimate")


def folder_name(gpus: list[str], date: str) -> str:
    """`2026-01-31-4x-tesla-v100-sxm2-32gb` of four GPUs with that name."""
    name = re.sub(r"[^a-z0-9]+", "-", gpus[0].lower()).strip("-")
    return f"{date}-{len(gpus)}x-{name}" if len(gpus) > 1 else f"{date}-{name}"


def main() -> int:
    from metering.doctor import examine
    from metering.sensors.nvml import job_gpus

    options = parser(__doc__).parse_args()
    gpus = [gpu.name for gpu in job_gpus()]
    if not gpus:
        print(
            "error: NVML shows no GPU of this job; see python -m metering.doctor", file=sys.stderr
        )
        return 2
    out = options.out or RESULTS / folder_name(gpus, datetime.now(UTC).date().isoformat())
    out.mkdir(parents=True, exist_ok=True)
    lines = [asdict(line) for line in examine()]
    (out / "doctor.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    tests = [sys.executable, "-m", "pytest", "-m", "gpu", "-v", "-rP"]
    done = subprocess.run(tests, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    (out / "tests.txt").write_text(done.stdout, encoding="utf-8")
    more = ["--quick"] if options.quick else []
    run = [sys.executable, "-m", "benchmarks", *BENCHMARKS, "--out", str(out), *more]
    missed = subprocess.run(run, check=False).returncode
    print(f"kept in {out}")
    return int(bool(done.returncode or missed))


if __name__ == "__main__":
    sys.exit(main())
