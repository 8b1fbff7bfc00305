"""How cheap and how right an adaptive window is: steps, error against a long run, coverage.

    python -m benchmarks.estimate [--out FOLDER] [--quick]

Steps and error on this machine: ResNet-18 trains for 20 times as long as an adaptive window of at
most half a minute takes; nine such windows stand before this long run, in it and behind it, at
equal distances, and the median of their errors counts, since a user's window may fall anywhere.
Beside it stand their mean error with its sign, which tells a window that is wrong from a machine
that is uneven, and by how much parts of the long run differ, each as long as the short window:
where the machine itself is uneven by more than the interval's width, no short window can tell.
Coverage over 20 trials on simulated GPUs whose true energy is known (more:
`benchmarks.metering_coverage`).
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from benchmarks.results import Result, parser, report
from benchmarks.sides import UNBOUNDED_WINDOW, opened, plan_of
from benchmarks.simulation.panel import trials_of
from metering.meter import Meter
from metering.record import PhaseRecord, Reading
from metering.settings import MeterSettings

PAPER_STEPS = 4004  # 10 % of ImageNet-1k's 1,281,167 images in batches of 32 (paper, section 5.1)
BATCH_SIZE = 8
BUDGET_S = 30.0  # a quarter of the default: the long run is 20 times that, ten minutes
NUM_TRIALS = 20
CASE = "cold start of 20 steps"


def trained(session: Any, meter: Meter, settings: MeterSettings) -> PhaseRecord:
    """One window of training, as `python run.py` takes it."""
    meter.settings = settings
    with meter.window("train", BATCH_SIZE) as window:
        window.open()
        session.train(window)
    return window.result()


def on_this_machine(times: float, num_windows: int) -> list[Result]:
    settings = MeterSettings(time_budget_s=BUDGET_S)
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(Path(folder), "model=resnet18", f"batch_size={BATCH_SIZE}")
        with opened(plan, settings) as (session, meter):
            windows = [trained(session, meter, settings)]
            short_s = sum(block.duration_s for block in windows[0].readings)
            part_s = times * short_s / (num_windows - 1)
            part = dataclasses.replace(settings, **UNBOUNDED_WINDOW | {"time_budget_s": part_s})
            long: list[Reading] = []
            while len(windows) < num_windows:
                long += trained(session, meter, part).readings
                windows.append(trained(session, meter, settings))
    errors, claims = [], []
    for window in windows:
        interval = window.energy_kwh_per_sample
        if interval is None:
            raise SystemExit("no energy was read")
        errors.append(100 * (interval.mean / rate(long) - 1))
        claims.append(100 * (interval.relative_half_width or math.nan))
    num_steps = [sum(block.num_steps for block in window.readings) for window in windows]
    words = ", ".join(f"{error:+.1f}" for error in errors)
    return [
        Result(
            "an estimate is cheap: steps of an adaptive window over the paper's 4,004",
            median(num_steps) / PAPER_STEPS,
            1 / 20,
            "at most",
            detail=f"{', '.join(map(str, num_steps))} steps of {BATCH_SIZE} images",
        ),
        Result(
            f"an estimate is right: error against a run {times:.0f} times longer",
            median(map(abs, errors)),
            2.0,
            "at most",
            "%",
            f"{words}; mean {mean(errors):+.1f} +- {stdev(errors) / math.sqrt(num_windows):.1f} "
            f"(standard error); claimed +- {median(claims):.1f} (median); "
            f"{times * short_s:.0f} s, whose parts of {short_s:.0f} s differ by "
            f"{uneven_percent(long, short_s):.1f} %",
        ),
    ]


def rate(blocks: Sequence[Reading]) -> float:
    """kWh per sample of all blocks together."""
    energy_kwh = sum(block.energy.total_kwh or math.nan for block in blocks)
    return energy_kwh / sum(block.num_samples for block in blocks)


def uneven_percent(blocks: Sequence[Reading], part_s: float) -> float:
    """Standard deviation over mean, in per cent, of the kWh per sample of parts of a run, each at
    least `part_s` long; NaN where there is but one."""
    rates, energy_kwh, duration_s, num_samples = [], 0.0, 0.0, 0
    for block in blocks:
        energy_kwh += block.energy.total_kwh or 0.0
        duration_s += block.duration_s
        num_samples += block.num_samples
        if duration_s >= part_s:
            rates.append(energy_kwh / num_samples)
            energy_kwh, duration_s, num_samples = 0.0, 0.0, 0
    return 100 * stdev(rates) / mean(rates) if len(rates) > 1 else math.nan


def coverage(num_trials: int) -> Result:
    held = sum(trial.held for trial in trials_of(CASE, range(7000, 7000 + num_trials)))
    return Result(
        "an estimate is right: trials whose interval holds the truth",
        100 * held / num_trials,
        95.0,
        "at least",
        "%",
        f"{held} of {num_trials}, simulated GPU, {CASE}",
    )


def main() -> None:
    options = parser(__doc__).parse_args()
    results = on_this_machine(2.0, 3) if options.quick else on_this_machine(20.0, 9)
    report("estimate", [*results, coverage(NUM_TRIALS)], options)


if __name__ == "__main__":
    main()
