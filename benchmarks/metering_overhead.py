"""What metering costs.

    python -m benchmarks.metering_overhead [--seconds 240] [--device cpu] [--out FOLDER]

Prints the throughput of a training loop (a small convolutional network, random images) with the
meter over that without it, taken in alternating turns so that a machine that drifts does not
favour either; the goal is at least 0.995. `benchmarks.estimate` tells how many steps are needed.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev

from benchmarks.results import Result, parser, report
from metering.meter import Meter
from metering.ranks import OneRank
from metering.settings import MeterSettings

BATCH_SIZE = 8
BLOCK_S = 1.0
TURN_S = 3.0  # short, so that a machine that drifts is alike in both turns of a pair


def training(device: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """A training step, and the wait for the device."""
    import torch
    from torch import nn

    widths = [3, 32, 64, 128]
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))
    network.to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    images = torch.randn(BATCH_SIZE, 3, 96, 96, device=device)
    labels = torch.randint(10, (BATCH_SIZE,), device=device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()

    return step, torch.cuda.synchronize if device == "cuda" else lambda: None


def settings(**changes: object) -> MeterSettings:
    return MeterSettings(**({"block_s": BLOCK_S, "idle_s": 0.0} | changes))  # type: ignore[arg-type]


def open_meter(folder: str, device: str, chosen: MeterSettings, wait: Callable[[], None]) -> Meter:
    meter = Meter(chosen, folder=Path(folder), ranks=OneRank(), use_gpu=device == "cuda")
    meter.synchronize = wait
    return meter


def overhead(device: str, seconds: float) -> Result:
    step, wait = training(device)
    num_steps = steps_within(TURN_S, step, wait)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(mode="fixed", num_steps=num_steps)
        with open_meter(folder, device, chosen, wait) as meter:

            def with_meter() -> None:
                with meter.window("train", BATCH_SIZE) as window:
                    window.open()
                    step()
                    while not window.step(BATCH_SIZE):
                        step()

            def without() -> None:
                for _ in range(num_steps):
                    step()
                wait()

            for turn in range(max(2, round(seconds / (2 * TURN_S)))):
                # neither side always goes first
                sides = (with_meter, without) if turn % 2 else (without, with_meter)
                taken = {side: seconds_of(side) for side in sides}
                ratios.append(taken[without] / taken[with_meter])
    error = stdev(ratios) / math.sqrt(len(ratios))
    return Result(
        "metering costs nothing: throughput with metering over without", mean(ratios), 0.995,
        "at least", detail=f"+- {error:.4f} (standard error), {len(ratios)} pairs",
    )  # fmt: skip


def steps_within(seconds: float, step: Callable[[], None], wait: Callable[[], None]) -> int:
    """How many steps this machine takes in so many seconds, once warm."""
    for _ in range(20):
        step()
    wait()
    num_steps, began_s = 0, time.perf_counter()
    while time.perf_counter() - began_s < seconds:
        step()
        num_steps += 1
    return num_steps


def seconds_of(side: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    side()
    return time.perf_counter() - began_s


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--seconds", type=float, default=240.0)
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = made.parse_args()
    seconds = 10.0 if options.quick else options.seconds
    report("metering_overhead", [overhead(options.device, seconds)], options)


if __name__ == "__main__":
    main()
