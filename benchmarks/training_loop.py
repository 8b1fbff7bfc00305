"""Images per second of our metered training run over a bare timm loop, same settings.

    python -m benchmarks.training_loop [--out FOLDER] [--quick]

Three models. The two sides take turns of equal steps inside one metered window; a turn of the bare
loop is compared with the mean of our turns before and after it, so that a machine that drifts
favours neither, and the median of the ratios counts. Each side has a loader of its own over the
same JPEG files with the same workers. Network and optimizer are the same objects for both: where
two equal networks lie in memory makes them differ by some per cent for as long as they live, which
is more than what is sought. Compute leaves the worker a core of its own: where they share one,
neighbouring turns of equal loops differ by 8 %.
"""

from __future__ import annotations

import itertools
import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median, stdev

from benchmarks.results import Result, parser, report
from benchmarks.sides import WITHOUT_END, bare, opened, plan_of
from metering.settings import MeterSettings
from metering.window import Window

NUM_WORKERS = 1
NUM_STEPS = 4  # of a turn
NUM_WARMUP_TURNS = 2
MODELS = ("resnet18", "mobilenetv2_100", "vit_tiny_patch16_224")


class Turns:
    """A metered window that lets the other side take a turn after every `NUM_STEPS` steps."""

    def __init__(self, window: Window, other: Callable[[int], float], num_turns: int) -> None:
        self.window, self.other, self.num_turns = window, other, num_turns
        self.mine_s: list[float] = []
        self.others_s: list[float] = []
        self.num_left = NUM_STEPS
        self.began_s = time.perf_counter()

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        self.window.step(num_samples, data_wait_s)
        self.num_left -= 1
        if self.num_left:
            return False
        self.window._meter.synchronize()
        self.mine_s.append(time.perf_counter() - self.began_s)
        if len(self.mine_s) == self.num_turns:
            return True
        self.others_s.append(self.other(NUM_STEPS))
        self.num_left = NUM_STEPS
        self.began_s = time.perf_counter()
        return False


def ratios(model: str, num_pairs: int) -> list[float]:
    """Bare seconds over ours, of each turn of the bare loop; above 1 where ours is quicker."""
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(
            Path(folder), f"model={model}", "model.input_size=224", "batch_size=8",
            f"data.num_workers={NUM_WORKERS}",
        )  # fmt: skip
        with opened(plan, MeterSettings(**WITHOUT_END)) as (session, meter):
            other = bare(plan, session.network, session.optimizer)
            with meter.window("train", plan.batch_size) as window:
                window.open()
                turns = Turns(window, other, NUM_WARMUP_TURNS + num_pairs + 1)
                session.train(turns)
    both = zip(itertools.pairwise(turns.mine_s), turns.others_s, strict=True)
    return [other_s / mean(mine_s) for mine_s, other_s in both][NUM_WARMUP_TURNS:]


def main() -> None:
    import torch

    options = parser(__doc__).parse_args()
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - NUM_WORKERS))
    num_pairs = 2 if options.quick else 48
    found = {name: ratios(name, num_pairs) for name in MODELS}
    words = ", ".join(f"{name} {median(some):.3f}" for name, some in found.items())
    everything = [ratio for some in found.values() for ratio in some]
    error = 1.25 * stdev(everything) / math.sqrt(len(everything))  # of a median, for normal noise
    result = Result(
        "our training loop is not slower: images/s of a metered run over a bare timm loop",
        median(everything), 1.0, "at least",
        detail=f"+- {error:.3f} (standard error); {words}; {num_pairs} pairs each",
    )  # fmt: skip
    report("training_loop", [result], options)


if __name__ == "__main__":
    main()
