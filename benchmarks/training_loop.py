"""Images per second of our metered training run over a bare timm loop, same settings.

    python -m benchmarks.training_loop [--out FOLDER] [--quick]

Three models, and the median of their medians, so that one model's luck is not the figure. The two
sides take turns of equal steps, ours a block of a metered window with all that the meter costs; a
turn of a bare loop is compared with the mean of our turns before and after it, so that a machine
that drifts favours neither. There are two bare loops, alternately: the second compared with the
first in the same way is what two equal loops differ by, and stands beside the figure. Each loop has
a loader of its own over the same JPEG files with the same workers. Network and optimizer are the
same objects for all: where two equal networks lie in memory makes them differ by some per cent for
as long as they live, which is more than what is sought. (tests/benchmarks/test_sides.py holds that
they are what timm alone makes.) Compute leaves a worker a core of its own: where they share one,
neighbouring turns of equal loops differ by 8 %.

The process starts itself again with glibc told to keep what is freed. Else each step returns its
activations to the system and faults them in again, tens of thousands of pages a step, and how many
depends on what else a loop happens to hold: its luck with the allocator, not its speed.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev

from benchmarks.results import Result, parser, report
from benchmarks.sides import UNBOUNDED_WINDOW, bare, opened, plan_of
from benchmarks.turns import Turns, ratios
from metering.settings import MeterSettings

NUM_WORKERS = 1
NUM_WARMUP_TURNS = 2
NUM_TURNS = 64
MODELS = ("resnet18", "mobilenetv2_100", "vit_tiny_patch16_224")
# mallopt(3): nothing by mmap, and the heap is neither trimmed nor grown in small pieces
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**36),
    "MALLOC_TOP_PAD_": str(2**26),
}


def turns_of(model: str, num_turns: int) -> Turns:
    """Seconds of `num_turns` turns of ours, and of one of a bare loop between each two."""
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(
            Path(folder),
            f"model={model}",
            "model.input_size=224",
            "batch_size=8",
            f"data.num_workers={NUM_WORKERS}",
        )
        with opened(plan, MeterSettings(**UNBOUNDED_WINDOW)) as (session, meter):
            others = [bare(plan, session.network, session.optimizer) for _ in range(2)]
            with meter.window("train", plan.batch_size) as window:
                turns = Turns(meter, window, others, num_turns)
                window.open()
                session.train(turns)
    return turns


@dataclass(frozen=True)
class Compared:
    """Ratios, turn by turn, of the bare loops to ours, to ours without what the meter's calls took,
    and of the second bare loop to the first."""

    ours: list[float]
    unmetered: list[float]
    equal: list[float]


def compared(
    mine_s: Sequence[float], unmetered_s: Sequence[float], others_s: Sequence[float]
) -> Compared:
    """All but the turns that warm up; the bare loops take theirs alternately."""
    mine_s, unmetered_s, others_s = (
        turns[NUM_WARMUP_TURNS:] for turns in (mine_s, unmetered_s, others_s)
    )
    return Compared(
        ratios(mine_s, others_s),
        ratios(unmetered_s, others_s),
        ratios(others_s[::2], others_s[1::2]),
    )


def summarised(by_model: dict[str, Compared]) -> Result:
    """The median of the models' medians; in the detail each model, and the bare loops alone."""
    ours = median(median(compared.ours) for compared in by_model.values())
    unmetered = median(median(compared.unmetered) for compared in by_model.values())
    equal = median(median(compared.equal) for compared in by_model.values())
    words = ", ".join(
        f"{name} {_with_error(compared.ours)} ({_with_error(compared.equal)})"
        for name, compared in by_model.items()
    )
    num_pairs = len(next(iter(by_model.values())).ours)
    return Result(
        "our training loop is not slower: images/s of a metered run over a bare timm loop",
        ours,
        1.0,
        "at least",
        detail=f"{unmetered:.4f} without the time inside the meter's calls, bare over bare "
        f"{equal:.4f}; {words}; +- standard error, bare over bare in brackets, "
        f"{num_pairs} pairs each",
    )


def _with_error(ratios: Sequence[float]) -> str:
    error = 1.25 * stdev(ratios) / math.sqrt(len(ratios)) if len(ratios) > 1 else math.nan
    return f"{median(ratios):.3f} +- {error:.3f}"  # of a median, for normal noise


def keep_freed_memory() -> None:
    """Start this process again where glibc is not told so yet: it looks once, at the start."""
    if any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, os.environ | ALLOCATOR)


def main() -> None:
    options = parser(__doc__).parse_args()
    keep_freed_memory()
    import torch

    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - NUM_WORKERS))
    num_turns = NUM_WARMUP_TURNS + (4 if options.quick else NUM_TURNS) + 1
    by_model = {}
    for name in MODELS:
        turns = turns_of(name, num_turns)
        by_model[name] = compared(turns.mine_s, turns.unmetered_s, turns.others_s)
    report("training_loop", [summarised(by_model)], options)


if __name__ == "__main__":
    main()
