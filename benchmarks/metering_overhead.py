"""What metering costs, and how many steps the stopping rule needs.

    python -m benchmarks.metering_overhead [--seconds 30] [--device cpu] [--long]

Prints the throughput of a training loop (a small convolutional network, random images) with the
meter over that without it, taken in alternating halves so that a machine that drifts does not
favour either; the goal is at least 0.995. `--long` also compares the adaptive window with one at
least 20 times longer, and its steps with the 4,004 of the paper's protocol.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import mean, stdev

from metering.host import cpu_model, gpu_states
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


def overhead(device: str, seconds: float) -> None:
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
    spread = f" +- {stdev(ratios):.4f} (standard deviation)" if len(ratios) > 1 else ""
    print(
        f"throughput with metering / without: {mean(ratios):.4f}{spread}, "
        f"{len(ratios)} pairs (goal 0.995)"
    )


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


def steps_needed(device: str) -> None:
    short = window_of(device, settings())
    num_steps = sum(block.num_steps for block in short.readings)
    budget_s = 20 * sum(block.duration_s for block in short.readings)
    reference = window_of(
        device, settings(relative_error=1e-9, max_blocks=10**6, time_budget_s=budget_s)
    )
    ours, long = short.energy_kwh_per_sample, reference.energy_kwh_per_sample
    if ours is None or long is None:
        raise SystemExit("no energy was read")
    print(f"steps needed: {num_steps} ({short.stop_reason}); the paper's protocol: {PAPER_STEPS}")
    print(f"error against {budget_s:.0f} s: {100 * (ours.mean / long.mean - 1):+.2f} %")
    print(f"claimed half-width: {100 * (ours.relative_half_width or 0):.2f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    gpus = ", ".join(state["name"] for state in gpu_states()) or "no GPU"
    print(f"{date.today()}  {cpu_model()}, {gpus}; device {options.device}")
    overhead(options.device, options.seconds)
    if options.long:
        steps_needed(options.device)


if __name__ == "__main__":
    main()
