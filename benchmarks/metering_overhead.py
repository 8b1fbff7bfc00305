"""What metering costs.

    python -m benchmarks.metering_overhead [--seconds 30] [--device cpu] [--out FOLDER]

Prints the throughput of a training loop (a small convolutional network, random images) with the
meter over that without it, taken in alternating halves so that a machine that drifts does not
favour either; the goal is at least 0.995. `benchmarks.estimate` tells how many steps are needed.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev

from benchmarks.results import Result, parser, report
from metering.meter import Meter
from metering.ranks import OneRank
from metering.record import PhaseRecord
from metering.settings import MeterSettings

BATCH_SIZE = 8
PAPER_STEPS = 4004  # 10 % of ImageNet-1k's 1,281,167 images in batches of 32 (paper, section 5.1)
BLOCK_S = 1.0


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
    for _ in range(20):
        step()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(relative_error=1e-9, max_blocks=10**6, time_budget_s=5.0)
        with open_meter(folder, device, chosen, wait) as meter:
            while sum(2 for _ in ratios) * 5.0 < seconds:
                count, began_s = 0, time.perf_counter()
                with meter.window("train", BATCH_SIZE) as window:
                    window.open()
                    done = False
                    while not done:
                        step()
                        count += 1
                        done = window.step(BATCH_SIZE)
                metered_s = time.perf_counter() - began_s
                wait()
                began_s = time.perf_counter()
                for _ in range(count):
                    step()
                wait()
                ratios.append((time.perf_counter() - began_s) / metered_s)
    spread = f"+- {stdev(ratios):.4f} (standard deviation), " if len(ratios) > 1 else ""
    return Result(
        "metering costs nothing: throughput with metering over without", mean(ratios), 0.995,
        "at least", detail=f"{spread}{len(ratios)} pairs",
    )  # fmt: skip


def window_of(device: str, chosen: MeterSettings) -> PhaseRecord:
    step, wait = training(device)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_meter(folder, device, chosen, wait) as meter,
    ):
        with meter.window("train", BATCH_SIZE) as window:
            window.open()
            step()
            while not window.step(BATCH_SIZE):
                step()
        return window.result()


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--seconds", type=float, default=30.0)
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = made.parse_args()
    seconds = 10.0 if options.quick else options.seconds
    report("metering_overhead", [overhead(options.device, seconds)], options)


if __name__ == "__main__":
    main()
