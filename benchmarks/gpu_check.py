"""The meter's claims on a real NVIDIA GPU, kept under its name and the date: `make gpu-check`.

    python -m benchmarks.gpu_check [--out FOLDER] [--quick] [--long]

What the doctor says, the tests marked `gpu` (three minutes), then what metering costs; together
less than five minutes on one GPU. `--long` adds a quarter of an hour: how right an estimate is.
Everything lands in `benchmarks/results/<date>-<GPU>/` as soon as it is known: `doctor.json`,
`tests.txt`, `findings.jsonl` with what each test measured, and one JSON a benchmark. Ends with 1
when a test failed or a goal was missed, with 2 without a GPU.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.results import parser

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TESTS_LIMIT_S, OVERHEAD_S = 230, 40


def folder_name(gpus: list[str], date: str) -> str:
    """`2026-01-31-4x-tesla-v100-sxm2-32gb` of four GPUs with that name."""
    name = re.sub(r"[^a-z0-9]+", "-", gpus[0].lower()).strip("-")
    return f"{date}-{len(gpus)}x-{name}" if len(gpus) > 1 else f"{date}-{name}"


def main() -> int:
    from metering.doctor import examine
    from metering.sensors.nvml import job_gpus

    made = parser(__doc__)
    made.add_argument("--long", action="store_true", help="also benchmarks.estimate")
    options = made.parse_args()
    gpus = [gpu.name for gpu in job_gpus()]
    if not gpus:
        print(
            "error: NVML shows no GPU of this job; see python -m metering.doctor", file=sys.stderr
        )
        return 2
    out = options.out or RESULTS / folder_name(gpus, datetime.now(UTC).date().isoformat())
    out = out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    lines = [asdict(line) for line in examine()]
    (out / "doctor.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    statuses = [run_tests(out)]
    benchmarks = [["metering_overhead", "--seconds", str(OVERHEAD_S)]]
    benchmarks += [["estimate"]] if options.long else []
    for name, *arguments in benchmarks:
        command = [sys.executable, "-m", f"benchmarks.{name}", "--out", str(out), *arguments]
        command += ["--quick"] if options.quick else []
        statuses.append(subprocess.run(command, cwd=ROOT, check=False).returncode)
        statuses.append(num_missed(out / f"{name}.json"))
    print(f"kept in {out}")
    return int(any(statuses))


def run_tests(out: Path) -> int:
    """The status with which the tests marked `gpu` end; what they say is shown and kept line by
    line."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "gpu",
        "-v",
        f"--session-timeout={TESTS_LIMIT_S}",
        "tests/metering/test_gpu_check.py",
    ]
    environment = os.environ | {"GPU_CHECK_FINDINGS": str(out / "findings.jsonl")}
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        ) as tests,
        (out / "tests.txt").open("w", encoding="utf-8") as kept,
    ):
        assert tests.stdout is not None
        for line in tests.stdout:
            print(line, end="", flush=True)
            kept.write(line)
            kept.flush()
    return tests.returncode


def num_missed(path: Path) -> int:
    """Goals that the benchmark kept in `path` missed; 0 where it kept nothing."""
    if not path.exists():
        return 0
    return sum(not result["held"] for result in json.loads(path.read_text("utf-8"))["results"])


if __name__ == "__main__":
    sys.exit(main())
