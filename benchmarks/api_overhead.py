"""Throughput of a loop under `watt.measure`'s window over the same loop without it.

    python -m benchmarks.api_overhead

Two ways: the loop's time outside of the window's calls, which resolves parts of a thousand, and
the bare loop by turns, which sees what the sensors' threads take as well, and the machine's noise.
"""

from __future__ import annotations

import tempfile
import time
from statistics import mean, median, stdev

import torch

import watt_for_what as watt
from benchmarks.results import Result, parser, report
from benchmarks.turns import ratios

GOAL = 0.995
BATCH_SIZE = 64


def overhead(num_turns: int, turn_s: float) -> list[Result]:
    """The share of time outside of the window's calls, and the median ratio over turns."""
    network = torch.nn.Sequential(
        torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10)
    )
    images = torch.randn(BATCH_SIZE, 512)

    def step() -> None:
        network(images).sum().backward()

    def seconds(num_steps: int) -> float:
        began_s = time.perf_counter()
        for _ in range(num_steps):
            step()
        return time.perf_counter() - began_s

    seconds(200)  # the first steps are slower: threads start, memory is laid out
    num_steps = max(1, round(turn_s * 200 / seconds(200)))
    settings = watt.MeterSettings(
        relative_error=1e-9, max_blocks=10**6, time_budget_s=1e6, idle_s=0.0
    )
    inside_s: list[float] = []  # the window's calls, of each turn
    mine_s: list[float] = []
    others_s: list[float] = []
    said = {"batch_size": BATCH_SIZE, "meter": settings, "quiet": True, "device": "cpu"}
    with (
        tempfile.TemporaryDirectory() as folder,
        watt.measure("overhead", output_dir=folder, **said) as run,
        run.window("train") as window,
    ):
        for turn in range(num_turns):
            inside_s.append(0.0)
            began_s = time.perf_counter()
            for _ in range(num_steps):
                step()
                called_s = time.perf_counter()
                window.step(BATCH_SIZE)
                inside_s[-1] += time.perf_counter() - called_s
            mine_s.append((time.perf_counter() - began_s) / num_steps)
            if turn < num_turns - 1:
                window.pause()  # no sensor's thread runs while the bare loop does
                others_s.append(seconds(num_steps) / num_steps)
                window.resume()
    inside_s, mine_s, others_s = inside_s[1:], mine_s[1:], others_s[1:]  # blocks grow at first
    by_turn = ratios(mine_s, others_s)
    error = 1.25 * stdev(by_turn) / len(by_turn) ** 0.5  # of a median of normal values
    steps = f"{num_turns} turns of {num_steps} steps of {1e3 * mean(others_s):.3g} ms"
    outside = 1 - sum(inside_s) / (sum(mine_s) * num_steps)
    return [
        Result("share of a loop's time outside of watt.measure's window", outside, GOAL,
               "at least", detail=steps),
        Result("throughput of a loop under watt.measure's window over the bare loop, by turns",
               median(by_turn), GOAL, "at least", detail=f"standard error {error:.1g}"),
    ]  # fmt: skip


def main() -> None:
    options = parser(__doc__).parse_args()
    num_turns, turn_s = (6, 1.5) if options.quick else (14, 3.5)
    report("api_overhead", overhead(num_turns, turn_s), options)


if __name__ == "__main__":
    main()
