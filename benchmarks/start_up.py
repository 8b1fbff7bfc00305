"""Time of `run.py --cfg job` over a bare Hydra application of one key, in alternating calls.

    python -m benchmarks.start_up [--out FOLDER] [--quick]

The median of the ratios of neighbouring calls counts, so that a machine that slows down for a
while slows down both.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.results import Result, parser, report

ROOT = Path(__file__).resolve().parent.parent
BARE = """import hydra
@hydra.main(version_base="1.3", config_path=".", config_name="bare")
def main(config):
    pass
main()
"""


def seconds_of(script: Path) -> float:
    began_s = time.perf_counter()
    subprocess.run(
        [sys.executable, str(script), "--cfg", "job"],
        cwd=script.parent,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began_s


def start_up(num_pairs: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        (bare.parent / "bare.yaml").write_text("key: 1\n", encoding="utf-8")
        seconds_of(bare), seconds_of(ROOT / "run.py")  # files come from the disk only once
        pairs = [(seconds_of(ROOT / "run.py"), seconds_of(bare)) for _ in range(num_pairs)]
    ours, theirs = (median(pair[k] for pair in pairs) for k in (0, 1))
    return Result(
        "starting is quick: run.py --cfg job over a bare Hydra app",
        median(a / b for a, b in pairs),
        1.3,
        "at most",
        detail=f"{ours:.2f} s over {theirs:.2f} s, {num_pairs} pairs",
    )


def main() -> None:
    options = parser(__doc__).parse_args()
    report("start_up", [start_up(3 if options.quick else 15)], options)


if __name__ == "__main__":
    main()
