"""How often the interval holds the true energy, on simulated GPUs, by kind of load.

    python -m benchmarks.metering_coverage [--trials 1000] [--only TEXT] [--out FOLDER]

Simulated is what real boards do to a meter: counters that move every 100 ms and lag, calls in
which the GPUs wait, heat, stalls, power states; no GPU is needed. Goals, by load: the truth is held
in at least 93 % of the trials, or at least 95 % of the misses are flagged; of stationary loads at
most 5 % are flagged, and the bias is under 1 %; the median half-width is at most 1.5 times that of
an ideal observer of the same length; and intervals hold at most 2 points less often than those of
windows of a fixed length on the same traces (`fixed`, the median length of the others: what it
costs to stop when the interval is narrow; with its standard error). `docs/metering.md` has the
table.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.simulation.panel import CASES, Summary, Trial, fixed_length, summarize, trials_of

HEAD = (
    "| load | held | fixed | misses flagged | flagged | bias | half-width | ideal | window "
    "| GPUs waited |\n|---|---|---|---|---|---|---|---|---|---|"
)


def row(name: str, one: Summary, fixed: str = "-") -> str:
    """One line of the table. fixed: of the windows of a fixed length."""
    told = "-" if one.told is None else f"{100 * one.told:.0f} %"
    return (
        f"| {name} | {100 * one.held:.1f} % | {fixed} | {told} | {100 * one.flagged:.1f} % | "
        f"{100 * one.bias:+.2f} % | {100 * one.half_width:.2f} % | {100 * one.ideal:.2f} % | "
        f"{one.window_s:.0f} s | {100 * one.overhead:.2f} % |"
    )


def held_more(trials: Sequence[Trial], fixed: Sequence[Trial]) -> list[int]:
    """Of each trace, 1 where the window of a fixed length holds and that of `trials` does not, -1
    the other way round, else 0."""
    return [int(b.held) - int(a.held) for a, b in zip(trials, fixed, strict=True)]


def points(differ: Sequence[int]) -> str:
    """Their mean, in points, and its standard error."""
    mean = sum(differ) / len(differ)
    error = math.sqrt(sum((one - mean) ** 2 for one in differ)) / len(differ)
    return f"{100 * mean:+.1f} ± {100 * error:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--out", type=Path, help="write metering_coverage.json into this folder")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.trials)
    summaries: dict[str, Summary] = {}
    all_differ: list[int] = []
    print(HEAD, flush=True)
    with multiprocessing.Pool(len(os.sched_getaffinity(0))) as pool:
        for name in CASES:
            if options.only not in name:
                continue
            trials = trials_of(name, seeds, each=pool.map)
            summaries[name], fixed = summarize(trials), "-"
            settings = fixed_length(CASES[name], trials)
            if settings is not None:
                others = trials_of(name, seeds, settings, each=pool.map)
                differ = held_more(trials, others)
                all_differ += differ
                held = sum(one.held for one in others) / len(others)
                fixed = f"{100 * held:.1f} % ({points(differ)})"
            print(row(name, summaries[name], fixed), flush=True)
    if all_differ:
        print(f"\nTo stop when the interval is narrow costs {points(all_differ)} points.")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        kept = {name: asdict(one) for name, one in summaries.items()}
        path = options.out / "metering_coverage.json"
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
