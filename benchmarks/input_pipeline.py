"""Images per second of our loader over timm's own with the same workers, nothing trained.

    python -m benchmarks.input_pipeline [--out FOLDER] [--quick]

Also checks that the time a step waits for its images is in a record of a real run.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.results import Result, parser, report
from benchmarks.sides import bare_loader, plan_of


def seconds_of(batches: Any, num_batches: int) -> float:
    began_s = time.perf_counter()
    for _ in range(num_batches):
        next(batches)
    return time.perf_counter() - began_s


def pipeline(num_pairs: int, num_batches: int, num_workers: int) -> Result:
    import torch

    from metering.ranks import OneRank
    from tasks import classification

    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(
            Path(folder), "model=resnet18", "model.input_size=224", "batch_size=16",
            f"data.num_workers={num_workers}",
        )  # fmt: skip
        session = classification.prepare(plan, OneRank(), lambda _: None)
        mine = session._batches(session.train_loader, endless=True)
        # both sides hand over images as the network wants them
        other = (
            images.contiguous(memory_format=torch.channels_last) for images, _ in bare_loader(plan)
        )
        ratios = []
        seconds_of(mine, 8), seconds_of(other, 8)  # workers start and fill their queues
        for _ in range(num_pairs):
            # what the other side decoded ahead while it waited is taken first and not counted
            seconds_of(other, 4)
            other_s = seconds_of(other, num_batches)
            seconds_of(mine, 4)
            ratios.append(other_s / seconds_of(mine, num_batches))
    return Result(
        "input pipeline: images/s of our loader over timm's own, same workers",
        median(ratios), 1.0, "at least",
        detail=f"{num_workers} workers, {num_pairs} pairs of {num_batches} batches",
    )  # fmt: skip


def wait_is_recorded() -> Result:
    """Share of the readings of a real run that say how long its steps waited for input."""
    from tasks.execute import execute

    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(
            Path(folder), "model=test_resnet", "data=digits", "meter=fixed", "meter.num_steps=3",
            "phases=train", "meter.idle_s=0",
        )  # fmt: skip
        train = execute(plan).record.phases["train"]
    told = [reading.data_wait_s is not None for reading in train.readings]
    share = train.data_wait_share
    return Result(
        "the time a step waits for data is in the record",
        sum(told) / len(told) if share is not None else 0.0, 1.0, "at least",
    )  # fmt: skip


def main() -> None:
    options = parser(__doc__).parse_args()
    amount = (2, 4, 1) if options.quick else (10, 20, 2)
    report("input_pipeline", [pipeline(*amount), wait_is_recorded()], options)


if __name__ == "__main__":
    main()
