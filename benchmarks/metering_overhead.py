"""What metering costs.

    python -m benchmarks.metering_overhead [--seconds 360] [--device cuda] [--out FOLDER]

Prints the throughput of a training loop (a small convolutional network, random images) with the
meter over that without it; the goal is at least 0.995. The two take turns: one block of a window
that stays open, as a run's does, then as many steps without the meter. A turn without is compared
with the mean of the metered turns before and after it, so that a machine that drifts favours
neither, and the median of the ratios counts. On a CPU, compute leaves one core to the rest of the
machine, and there is beside it the share of the metered turns that passed inside the meter's own
calls: it misses what a call leaves behind (cold caches), but is hardly touched by noise.
`benchmarks.estimate` tells how many steps are needed.
"""

from __future__ import annotations

import itertools
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev
from typing import Any

from benchmarks.results import Result, parser, report
from benchmarks.sides import UNBOUNDED_WINDOW
from benchmarks.turns import Turns, ratios
from metering.meter import Meter
from metering.ranks import OneRank
from metering.settings import MeterSettings

BATCH_SIZE = 8
BLOCK_S = 1.0
NUM_WARMUP_TURNS = 2


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


def settings(**changes: Any) -> MeterSettings:
    return MeterSettings(**({"block_s": BLOCK_S, "idle_s": 0.0} | changes))


def open_meter(folder: str, device: str, chosen: MeterSettings, wait: Callable[[], None]) -> Meter:
    meter = Meter(chosen, folder=Path(folder), ranks=OneRank(), use_gpu=device == "cuda")
    meter.synchronize = wait
    return meter


@dataclass(frozen=True)
class Took:
    """The turns, and how long the window's opening and its closing took, seconds."""

    turns: Turns
    opened_s: float
    closed_s: float


def take_turns(device: str, num_turns: int) -> Took:
    step, wait = training(device)

    def bare(num_steps: int) -> None:
        for _ in range(num_steps):
            step()
        wait()

    for _ in range(20):
        step()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_meter(folder, device, settings(**UNBOUNDED_WINDOW), wait) as meter,
    ):
        began_s = time.perf_counter()
        with meter.window("train", BATCH_SIZE) as window:
            turns = Turns(meter, window, [bare], num_turns)
            window.open()
            opened_s = time.perf_counter() - began_s
            done = False
            while not done:
                step()
                done = turns.step(BATCH_SIZE)
            left_s = time.perf_counter()
        closed_s = time.perf_counter() - left_s
    return Took(turns, opened_s, closed_s)


def overhead(device: str, seconds: float) -> list[Result]:
    num_turns = NUM_WARMUP_TURNS + max(2, round(seconds / (2 * BLOCK_S)))
    took = take_turns(device, num_turns)
    turns = took.turns
    speeds = ratios(turns.mine_s[NUM_WARMUP_TURNS:], turns.others_s[NUM_WARMUP_TURNS:])
    error = 1.25 * stdev(speeds) / math.sqrt(len(speeds))  # of a median, for normal noise
    results = [
        Result(
            "metering costs nothing: throughput with metering over without",
            median(speeds),
            0.995,
            "at least",
            detail=f"+- {error:.4f} (standard error), {len(speeds)} pairs",
        ),
    ]
    if device == "cpu":  # on a GPU the calls wait for the steps that are queued
        inside_s = sum(turns.ended_s) + turns.counted_s + took.opened_s + took.closed_s
        results.append(
            Result(
                "metering costs nothing: share of time inside the meter's calls",
                100 * inside_s / turns.metered_s,
                0.5,
                "at most",
                "%",
                f"a block's end {1000 * median(turns.ended_s):.1f} ms (median of "
                f"{num_turns}, {turns.metered_s / num_turns:.2f} s of steps apart), opening the "
                f"window {1000 * took.opened_s:.1f} ms, closing it {1000 * took.closed_s:.1f} ms",
            )
        )
    return results


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
