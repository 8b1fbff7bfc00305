"""How cheap and how right an adaptive window is: steps, error against a long run, coverage.

    python -m benchmarks.estimate [--out FOLDER] [--quick]

Steps and error on this machine: an adaptive window, then one that lasts 20 times as long. Coverage
over 20 trials on simulated GPUs whose true energy is known (more: `benchmarks.metering_coverage`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.metering_coverage import CASES, trial
from benchmarks.metering_overhead import PAPER_STEPS, settings, window_of
from benchmarks.results import Result, parser, report

NUM_TRIALS = 20
CASE = "cold start of 20 steps"


def on_this_machine(device: str, times: float) -> list[Result]:
    short = window_of(device, settings())
    num_steps = sum(block.num_steps for block in short.readings)
    budget_s = times * sum(block.duration_s for block in short.readings)
    long = window_of(
        device, settings(relative_error=1e-9, max_blocks=10**6, time_budget_s=budget_s)
    )
    ours, reference = short.energy_kwh_per_sample, long.energy_kwh_per_sample
    if ours is None or reference is None:
        raise SystemExit("no energy was read")
    return [
        Result("an estimate is cheap: steps of an adaptive window over the paper's 4,004",
               num_steps / PAPER_STEPS, 1 / 20, "at most",
               detail=f"{num_steps} steps, {short.stop_reason}"),
        Result(f"an estimate is right: error against a run {times:.0f} times longer",
               100 * abs(ours.mean / reference.mean - 1), 2.0, "at most", "%",
               f"{budget_s:.0f} s; claimed {100 * (ours.relative_half_width or 0):.1f} %"),
    ]  # fmt: skip


def coverage(num_trials: int) -> Result:
    gpu, load = CASES[CASE]
    with tempfile.TemporaryDirectory() as folder:
        held = sum(trial(7000 + n, gpu, load, Path(folder)) for n in range(num_trials))
    return Result(
        "an estimate is right: trials whose interval holds the truth", 100 * held / num_trials,
        95.0, "at least", "%", f"{held} of {num_trials}, simulated GPU, {CASE}",
    )  # fmt: skip


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = made.parse_args()
    found = on_this_machine(options.device, 2.0 if options.quick else 20.0)
    report("estimate", [*found, coverage(NUM_TRIALS)], options)


if __name__ == "__main__":
    main()
