"""How often the 95 % interval over runs holds the truth, where runs differ by 0, 2 and 3 %.

    python -m benchmarks.run_spread [--out FOLDER] [--quick]

Simulated: a set-up costs 1; each run's mean differs from it between runs (SD 0, 2 or 3 %) and
within the run (1 %, of which its own interval is estimated from 12 blocks). The interval is the
tables' own (`analysis.estimates.between_runs`): Student's t over run means with the spread pooled
over the set-ups that were repeated on the machine. Beside it, what the runs' own intervals,
combined, would hold.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from analysis.estimates.between_runs import pooled_spread, rate_over_runs
from analysis.records.confidence import student_t
from benchmarks.results import Result, parser, report

RUNS = (2, 3, 5, 10)
BETWEEN_SDS = (0.0, 0.02, 0.03)
WITHIN_SD = 0.01
NUM_BLOCKS = 12


@dataclass(frozen=True)
class Held:
    """Shares of the trials, 0..1: held by the interval over runs, and by the runs' own intervals
    combined; half_width: mean of the first, where the truth is 1."""

    over_runs: float
    within_runs: float
    half_width: float


def held(num_runs: int, between_sd: float, num_setups: int, trials: int, seed: int = 0) -> Held:
    """Of `trials` studies, how often the interval of the first of `num_setups` set-ups holds 1.
    Every set-up was run `num_runs` times; with one run, the others were run twice."""
    draw = random.Random(seed)
    over_runs, within_runs, width = 0, 0, 0.0
    for _ in range(trials):
        numbers = [num_runs] + [max(2, num_runs)] * (num_setups - 1)
        setups = [[_run(draw, between_sd) for _ in range(number)] for number in numbers]
        own = [_own_half_width(draw) for _ in range(num_runs)]
        rate = rate_over_runs(setups[0], own, pooled_spread(setups))
        assert rate.half_width is not None
        error = abs(rate.value - 1)
        over_runs += error <= rate.half_width
        within_runs += error <= math.hypot(*own) / num_runs
        width += rate.half_width
    return Held(over_runs / trials, within_runs / trials, width / trials)


def _run(draw: random.Random, between_sd: float) -> float:
    return 1 + draw.gauss(0, between_sd) + draw.gauss(0, WITHIN_SD)


def _own_half_width(draw: random.Random) -> float:
    """Of an interval estimated from the run's blocks: its variance is a chi-square."""
    degrees = NUM_BLOCKS - 1
    variance = WITHIN_SD**2 * draw.gammavariate(degrees / 2, 2) / degrees
    return student_t(degrees) * math.sqrt(variance)


def main() -> None:
    options = parser(__doc__).parse_args()
    trials = 500 if options.quick else 20_000
    goal = 95 - 100 * 3 * math.sqrt(0.95 * 0.05 / trials)  # three standard errors of the share
    results = []
    for num_setups in (1, 6):
        for num_runs in RUNS if num_setups == 1 else (1, *RUNS):
            for between_sd in BETWEEN_SDS:
                coverage = held(num_runs, between_sd, num_setups, trials)
                claim = (
                    f"{num_runs} runs, {100 * between_sd:g} % between runs, spread of "
                    f"{num_setups} set-ups"
                )
                detail = (
                    f"mean ± {100 * coverage.half_width:.1f} %; the runs' own intervals hold "
                    f"{100 * coverage.within_runs:.1f} %"
                )
                share = 100 * coverage.over_runs
                results.append(Result(claim, share, goal, "at least", "%", detail))
    report("run_spread", results, options)


if __name__ == "__main__":
    main()
