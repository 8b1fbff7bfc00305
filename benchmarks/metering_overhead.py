"""What metering costs.

    python -m benchmarks.metering_overhead [--seconds 360] [--device cuda] [--out FOLDER]

Prints the throughput of a training loop (a small convolutional network, random images) with the
meter over that without it; the goal is at least 0.995. The two take turns; a turn without is
compared with the mean of the metered turns before and after it, so that a machine that drifts
favours neither, and the median of the ratios counts. On a CPU, compute leaves one core to the rest
of the machine, and there is beside it the share of the metered turns that passed inside the meter's
own calls: it misses what a call leaves behind (cold caches), but is hardly touched by noise. Every
turn opens a window of its own, so both are more than a run pays, which opens two.
`benchmarks.estimate` tells how many steps are needed.
"""

from __future__ import annotations

import itertools
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, stdev

from benchmarks.results import Result, parser, report
from metering.meter import Meter
from metering.ranks import OneRank
from metering.settings import MeterSettings

BATCH_SIZE = 8
BLOCK_S = 1.0
TURN_S = 1.5  # short, so that a machine that drifts is alike in neighbouring turns


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


@dataclass
class Calls:
    """Seconds that each call of the meter took, by what it did."""

    opened_s: list[float] = field(default_factory=list)
    block_ended_s: list[float] = field(default_factory=list)
    counted_s: list[float] = field(default_factory=list)
    closed_s: list[float] = field(default_factory=list)

    @property
    def total_s(self) -> float:
        return sum(map(sum, (self.opened_s, self.block_ended_s, self.counted_s, self.closed_s)))

    def in_words(self) -> str:
        kinds = (self.opened_s, self.block_ended_s, self.closed_s)
        opened, ended, closed = (f"{1000 * median(kind):.1f} ms" for kind in kinds)
        return f"a block's end {ended}, a window's opening {opened}, its closing {closed} (medians)"


def metered_turn(meter: Meter, step: Callable[[], None], calls: Calls) -> None:
    """A window of its own, to its end."""
    blocks: list[object] = []
    meter.say = blocks.append  # is told of each block's end
    began_s = time.perf_counter()
    with meter.window("train", BATCH_SIZE) as window:
        window.open()
        calls.opened_s.append(time.perf_counter() - began_s)
        done = False
        while not done:
            step()
            num_blocks, called_s = len(blocks), time.perf_counter()
            done = window.step(BATCH_SIZE)
            kind = calls.block_ended_s if len(blocks) > num_blocks else calls.counted_s
            kind.append(time.perf_counter() - called_s)
        left_s = time.perf_counter()
    calls.closed_s.append(time.perf_counter() - left_s)


def bare_turn(num_steps: int, step: Callable[[], None], wait: Callable[[], None]) -> None:
    for _ in range(num_steps):
        step()
    wait()


def overhead(device: str, seconds: float) -> list[Result]:
    step, wait = training(device)
    num_steps = steps_within(TURN_S, step, wait)
    num_pairs = max(2, round(seconds / (2 * TURN_S)))
    with_s: list[float] = []
    without_s: list[float] = []
    calls = Calls()
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(mode="fixed", num_steps=num_steps)
        with open_meter(folder, device, chosen, wait) as meter:
            for turn in range(2 * num_pairs + 1):
                began_s = time.perf_counter()
                if turn % 2:
                    bare_turn(num_steps, step, wait)
                else:
                    metered_turn(meter, step, calls)
                (without_s if turn % 2 else with_s).append(time.perf_counter() - began_s)
    both = zip(itertools.pairwise(with_s), without_s, strict=True)
    ratios = [bare_s / mean(metered_s) for metered_s, bare_s in both]
    error = 1.25 * stdev(ratios) / math.sqrt(len(ratios))  # of a median, for normal noise
    found = [
        Result("metering costs nothing: throughput with metering over without", median(ratios),
               0.995, "at least", detail=f"+- {error:.4f} (standard error), {num_pairs} pairs"),
    ]  # fmt: skip
    if device == "cpu":  # on a GPU the calls wait for the steps that are queued
        found.append(
            Result("metering costs nothing: share of time inside the meter's calls",
                   100 * calls.total_s / sum(with_s), 0.5, "at most", "%",
                   f"{len(with_s)} windows of {len(calls.block_ended_s) / len(with_s):.1f} blocks; "
                   f"{calls.in_words()}")
        )  # fmt: skip
    return found


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


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--seconds", type=float, default=360.0)
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = made.parse_args()
    seconds = 10.0 if options.quick else options.seconds
    import torch

    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() else "cpu"
    if options.device == "cpu":
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - 1))
    report("metering_overhead", overhead(options.device, seconds), options)


if __name__ == "__main__":
    main()
