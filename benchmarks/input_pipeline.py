"""Images per second of our loader over timm's own with the same workers, nothing trained.

    python -m benchmarks.input_pipeline [--out FOLDER] [--quick]

The two take turns, each begun with full queues. One core is left to the process that asks, since
where workers share it a turn differs from the next of the same loader by 10 %. Two equal loaders
differ by a per cent for as long as their workers live, so both are built anew in every round, and
each round the other one goes first. Also checks that the time a step waits for its images is in a
record of a real run.
"""

from __future__ import annotations

import itertools
import math
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, stdev
from typing import Any

from benchmarks.results import Result, parser, report
from benchmarks.sides import bare_loader, plan_of
from tasks.plan import Plan

FILL_S = 0.3  # longer than an idle loader's workers take to fill their queues


def seconds_of(batches: Iterator[Any], num_batches: int) -> float:
    time.sleep(FILL_S)  # neither side's workers decode ahead in the other's turn
    began_s = time.perf_counter()
    for _ in range(num_batches):
        next(batches)
    return time.perf_counter() - began_s


def ours(plan: Plan) -> Iterator[Any]:
    from metering.ranks import OneRank
    from tasks.classification import session as classification

    session = classification.prepare(plan, OneRank(), lambda _: None)
    return session._batches(session.train_loader, endless=True)


def bare(plan: Plan) -> Iterator[Any]:
    """Batches of timm's loader, laid out as the network wants them, epoch after epoch."""
    import torch

    loader = bare_loader(plan)
    for _ in itertools.count():
        for images, _targets in loader:
            yield images.contiguous(memory_format=torch.channels_last)


def one_round(plan: Plan, our_turn: int, num_turns: int, num_batches: int) -> float:
    """Bare seconds over ours; `our_turn` is 0 where ours goes first, else 1."""
    sides = [bare(plan), bare(plan)]
    sides[our_turn] = ours(plan)
    for side in sides:
        seconds_of(side, 8)  # workers start
    seconds = [[seconds_of(side, num_batches) for side in sides] for _ in range(num_turns)]
    return median(pair[1 - our_turn] / pair[our_turn] for pair in seconds)


def pipeline(num_rounds: int, num_turns: int, num_batches: int) -> Result:
    num_workers = max(1, len(os.sched_getaffinity(0)) - 1)
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(
            Path(folder),
            "model=resnet18",
            "model.input_size=224",
            "batch_size=16",
            f"data.num_workers={num_workers}",
        )
        ratios = [one_round(plan, n % 2, num_turns, num_batches) for n in range(num_rounds)]
    error = 1.25 * stdev(ratios) / math.sqrt(num_rounds)  # of a median, for normal noise
    return Result(
        "input pipeline: images/s of our loader over timm's own, same workers",
        median(ratios),
        1.0,
        "at least",
        detail=f"+- {error:.3f} (standard error); {num_workers} workers, {num_rounds} rounds of "
        f"{num_turns} pairs of {num_batches} batches",
    )


def wait_is_recorded() -> Result:
    """Share of the readings of a real run that say how long its steps waited for input."""
    from tasks.running.execute import execute

    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(
            Path(folder),
            "model=test_resnet",
            "data=digits",
            "meter=fixed",
            "meter.num_steps=3",
            "phases=train",
            "meter.idle_s=0",
        )
        train = execute(plan).record.phases["train"]
    has_wait = [reading.data_wait_s is not None for reading in train.readings]
    share = train.data_wait_share
    return Result(
        "the time a step waits for data is in the record",
        sum(has_wait) / len(has_wait) if share is not None else 0.0,
        1.0,
        "at least",
    )


def main() -> None:
    options = parser(__doc__).parse_args()
    amount = (2, 1, 4) if options.quick else (12, 5, 40)
    report("input_pipeline", [pipeline(*amount), wait_is_recorded()], options)


if __name__ == "__main__":
    main()
