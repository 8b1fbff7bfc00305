"""How often the interval holds the true energy, on simulated GPUs, by kind of load.

    python -m benchmarks.metering_coverage [--trials 1000] [--only TEXT] [--out FOLDER]
    python -m benchmarks.metering_coverage --into docs/metering.md   # replace the rows there

Simulated is what real boards do to a meter: counters that move every 100 ms, lag, jitter and stand
still, calls in which the GPUs wait, heat, stalls, power states, other processes; no GPU is needed.
Goals, by load: the truth is held in at least 93 % of the trials, or at least 95 % of the misses are
flagged; of stationary loads at most 5 % are flagged, and the bias is under 1 %; the median
half-width is at most 1.5 times that of an ideal observer of the same length, or intervals that
narrow would hold less often than 93 % (`held at 1.5`); and intervals hold at most 2 points less
often than those of windows of a fixed length on the same traces (`early`: by how many points more
those hold, with its standard error; the fixed length is the median of the others). `naive` is
a meter that reads each block alone and ends at the first narrow interval.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.simulation.cases import CASES
from benchmarks.simulation.panel import (
    Naive,
    Summary,
    Trial,
    fixed_length,
    naive_trials_of,
    summarize,
    trials_of,
)

HEAD = (
    "| load | trials | naive: held | window | held | misses flagged | flagged | bias | half-width "
    "| ideal | ratio | held at 1.5 | early | window | waited |\n" + "|---" * 15 + "|"
)


def row(name: str, summary: Summary, naive: Sequence[Naive], early: str = "-") -> str:
    """One line of the table. early: what it costs to end a window by its interval."""
    cells = [
        name,
        str(summary.num_trials),
        percent(sum(trial.held for trial in naive) / len(naive)),
        f"{statistics.median(trial.window_s for trial in naive):.0f} s",
        percent(summary.held),
        percent(summary.told, 0),
        percent(summary.flagged),
        f"{100 * summary.bias:+.2f} %",
        percent(summary.half_width, 2),
        percent(summary.ideal, 2),
        f"{summary.half_width / summary.ideal:.1f}",
        percent(summary.held_at_goal),
        early,
        f"{summary.window_s:.0f} s",
        percent(summary.overhead, 2),
    ]
    return f"| {' | '.join(cells)} |"


def percent(share: float | None, digits: int = 1) -> str:
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def held_more(trials: Sequence[Trial], fixed: Sequence[Trial]) -> list[int]:
    """Of each trace, 1 where the window of a fixed length holds and that of `trials` does not, -1
    the other way round, else 0."""
    return [int(b.held) - int(a.held) for a, b in zip(trials, fixed, strict=True)]


def points(differ: Sequence[int]) -> str:
    """Their mean, in points, and its standard error."""
    mean = sum(differ) / len(differ)
    error = math.sqrt(sum((difference - mean) ** 2 for difference in differ)) / len(differ)
    return f"{100 * mean:+.1f} ± {100 * error:.1f}"


def with_table(text: str, lines: Mapping[str, str]) -> str:
    """`text` of a document whose table has `lines`, by load, in the place of these loads' own; its
    others stay where the table has the same columns. In the order of the panel."""
    kept = text.splitlines()
    begins = next(index for index, line in enumerate(kept) if line.startswith("| load |"))
    ends = next(
        (index for index in range(begins, len(kept)) if not kept[index].startswith("|")), len(kept)
    )
    head = HEAD.splitlines()
    rows = dict[str, str]()
    if kept[begins : begins + len(head)] == head:
        rows = {line.split(" | ")[0][2:]: line for line in kept[begins + len(head) : ends]}
    rows |= lines
    table = [*head, *(rows[name] for name in CASES if name in rows)]
    return "\n".join([*kept[:begins], *table, *kept[ends:]]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--out", type=Path, help="write metering_coverage.json into this folder")
    parser.add_argument(
        "--into", type=Path, help="replace these loads' rows in this document's table"
    )
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.trials)
    summaries: dict[str, Summary] = {}
    all_differ: list[int] = []
    lines = dict[str, str]()
    print(HEAD, flush=True)
    with multiprocessing.Pool(len(os.sched_getaffinity(0))) as pool:
        for name in CASES:
            if options.only not in name:
                continue
            summaries[name], line, differ = case_of(name, seeds, pool.map)
            all_differ += differ
            lines[name] = line
            print(line, flush=True)
            if options.into is not None:  # whoever ends it keeps what is done
                text = with_table(options.into.read_text(encoding="utf-8"), lines)
                options.into.write_text(text, encoding="utf-8")
    if all_differ:
        print(f"\nTo stop when the interval is narrow costs {points(all_differ)} points.")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        kept = {name: asdict(summary) for name, summary in summaries.items()}
        path = options.out / "metering_coverage.json"
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def case_of(
    name: str, seeds: Sequence[int], each: Callable[..., Any]
) -> tuple[Summary, str, list[int]]:
    """Of one load: what its windows say, its line of the table, and of each trace what it cost to
    end the window by its interval (see `held_more`; empty where that hardly ended one)."""
    trials = trials_of(name, seeds, each=each)
    summary, early, differ = summarize(trials), "-", list[int]()
    settings = fixed_length(CASES[name], trials)
    if settings is not None:
        differ = held_more(trials, trials_of(name, seeds, settings, each=each))
        early = points(differ)
    naive = naive_trials_of(name, seeds, each=each)
    return summary, row(name, summary, naive, early), differ


if __name__ == "__main__":
    main()
