"""Peak memory of a run over that of a bare timm loop with the same network, batch and workers.

    python -m benchmarks.peak_memory [--out FOLDER] [--quick]

Each side is a process of its own. On a GPU its peak of allocated device memory counts, on a CPU
its peak resident memory, libraries included: there the suite's own part is a constant. Both take as
many steps, since the heap of a CPU grows with them; the median of three pairs counts, since by how
much is the C library's luck.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.results import Result, parser, report

ROOT = Path(__file__).resolve().parent.parent
NUM_STEPS = 6
NUM_PAIRS = 3


def overrides(quick: bool) -> list[str]:
    model, size, batch = ("resnet18", 96, 8) if quick else ("resnet50", 224, 32)
    return [
        f"model={model}",
        f"model.input_size={size}",
        f"batch_size={batch}",
        "data.num_workers=1",
        "meter=fixed",
        f"meter.num_steps={NUM_STEPS}",
        "meter.num_warmup_steps=0",
        "phases=train",
        "meter.idle_s=0",
    ]


def one_side(side: str, folder: Path, given: list[str]) -> None:
    """In a process of its own: train, and print the peak, MiB."""
    from benchmarks.sides import bare, bare_parts, plan_of
    from tasks.running import device
    from tasks.running.execute import execute

    plan = plan_of(folder, *given)
    if side == "bare":
        train = bare(plan, *bare_parts(plan))
        device.reset_peak_memory(plan.hardware.accelerator)  # as a run does before its phase
        train(NUM_STEPS)
        print(device.peak_memory_mib(device.choose(plan.hardware.accelerator, 0)))
    else:
        print(execute(plan).record.phases["train"].peak_memory_mib)


def peak_mib(side: str, quick: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "benchmarks.peak_memory",
                "--side",
                side,
                "--folder",
                folder,
                *(["--quick"] if quick else []),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--side", choices=("bare", "ours"), help="one side, in this process")
    made.add_argument("--folder", type=Path, help="where that side writes")
    options = made.parse_args()
    given = overrides(options.quick)
    if options.side:
        one_side(options.side, options.folder, given)
        return
    pairs = [
        (peak_mib("ours", options.quick), peak_mib("bare", options.quick))
        for _ in range(1 if options.quick else NUM_PAIRS)
    ]
    words = ", ".join(f"{ours:.0f} MiB over {bare:.0f} MiB" for ours, bare in pairs)
    result = Result(
        "memory is what the model needs: peak of a run over a bare timm loop's",
        median(ours / bare for ours, bare in pairs),
        1.05,
        "at most",
        detail=f"{words}; {' '.join(given[:3])}",
    )
    report("peak_memory", [result], options)


if __name__ == "__main__":
    main()
