"""Images per second of our metered training run over a bare timm loop, same settings.

    python -m benchmarks.training_loop [--out FOLDER] [--quick]

Three models; the two sides take turns of equal steps, and the median of the ratios of
neighbouring turns counts. Both decode the same JPEG files with the same workers. Both are built
anew in each round, in turn first: where a network lies in memory alone makes two equal loops differ
by some per cent, for as long as they live. Compute leaves the worker a core of its own: where they
share one, neighbouring turns of equal loops differ by 8 %.
"""

from __future__ import annotations

import math
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median, stdev

from benchmarks.results import Result, parser, report
from benchmarks.sides import bare, ours, plan_of

NUM_WORKERS = 1
MODELS = ("resnet18", "mobilenetv2_100", "vit_tiny_patch16_224")


def ratios(plan_model: str, num_rounds: int, num_pairs: int, num_steps: int) -> list[float]:
    """Bare seconds over ours, of each pair of turns; above 1 where ours is quicker."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(
            Path(folder), f"model={plan_model}", "model.input_size=224", "batch_size=8",
            f"data.num_workers={NUM_WORKERS}",
        )  # fmt: skip
        for number in range(num_rounds):
            with ExitStack() as stack:
                if number % 2:
                    mine, other = stack.enter_context(ours(plan)), bare(plan)
                else:
                    other, mine = bare(plan), stack.enter_context(ours(plan))
                mine(2), other(2)  # workers start, kernels are chosen
                for turn in range(num_pairs):
                    if (number + turn) % 2:  # neither side always goes first
                        other_s, mine_s = other(num_steps), mine(num_steps)
                    else:
                        mine_s, other_s = mine(num_steps), other(num_steps)
                    found.append(other_s / mine_s)
    return found


def main() -> None:
    import torch

    options = parser(__doc__).parse_args()
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - NUM_WORKERS))
    amount = (1, 2, 3) if options.quick else (5, 2, 6)
    found = {name: ratios(name, *amount) for name in MODELS}
    words = ", ".join(f"{name} {median(some):.3f}" for name, some in found.items())
    everything = [ratio for some in found.values() for ratio in some]
    error = 1.25 * stdev(everything) / math.sqrt(len(everything))  # of a median, for normal noise
    result = Result(
        "our training loop is not slower: images/s of a metered run over a bare timm loop",
        median(everything), 1.0, "at least",
        detail=f"+- {error:.3f} (standard error); {words}; {amount[0] * amount[1]} pairs each",
    )  # fmt: skip
    report("training_loop", [result], options)


if __name__ == "__main__":
    main()
