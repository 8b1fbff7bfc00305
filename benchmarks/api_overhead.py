"""Throughput of a loop under `watt.measure`'s window over the same loop without it.

    python -m benchmarks.api_overhead

Two ways: the loop's time outside of the window's calls, which resolves parts of a thousand, and
the bare loop by turns, which sees what the sensors' threads take as well, and the machine's noise.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from statistics import mean, median, stdev

import torch

import watt_for_what as watt
from benchmarks.results import Result, parser, report
from benchmarks.turns import ratios

GOAL = 0.995
BATCH_SIZE = 64
WIDTH = 1024  # a step takes some milliseconds, as the shortest of real trainings do


def overhead(num_turns: int, turn_s: float) -> list[Result]:
    """The share of time outside of the window's calls, and the median ratio over turns."""
    step = _step()
    _seconds(step, 20)  # the first steps are slower: threads start, memory is laid out
    num_steps = max(1, round(turn_s * 20 / _seconds(step, 20)))
    settings = watt.MeterSettings(
        relative_error=1e-9, max_blocks=10**6, time_budget_s=1e6, idle_s=0.0
    )
    inside_s: list[float] = []  # the window's calls, of each turn
    mine_s: list[float] = []
    others_s: list[float] = []
    options = {"batch_size": BATCH_SIZE, "meter": settings, "quiet": True, "device": "cpu"}
    with (
        tempfile.TemporaryDirectory() as folder,
        watt.measure("overhead", output_dir=folder, **options) as run,
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
                others_s.append(_seconds(step, num_steps) / num_steps)
                window.resume()
    # blocks still grow in the first turn
    return _results(num_steps, inside_s[1:], mine_s[1:], others_s[1:])


def _step() -> Callable[[], None]:
    network = torch.nn.Sequential(
        torch.nn.Linear(512, WIDTH),
        torch.nn.ReLU(),
        torch.nn.Linear(WIDTH, WIDTH),
        torch.nn.ReLU(),
        torch.nn.Linear(WIDTH, 10),
    )
    images = torch.randn(BATCH_SIZE, 512)
    return lambda: network(images).sum().backward()


def _seconds(step: Callable[[], None], num_steps: int) -> float:
    began_s = time.perf_counter()
    for _ in range(num_steps):
        step()
    return time.perf_counter() - began_s


def _results(
    num_steps: int, inside_s: list[float], mine_s: list[float], others_s: list[float]
) -> list[Result]:
    by_turn = ratios(mine_s, others_s)
    error = 1.25 * stdev(by_turn) / len(by_turn) ** 0.5  # of a median of normal values
    call_us = 1e6 * mean(inside_s) / num_steps
    detail = (
        f"{len(mine_s)} turns of {num_steps} steps of {1e3 * mean(others_s):.3g} ms; "
        f"{call_us:.3g} microseconds inside of the window at a step, ends of blocks included"
    )
    outside = 1 - sum(inside_s) / (sum(mine_s) * num_steps)
    claim = "share of a loop's time outside of watt.measure's window"
    turns = "throughput of a loop under watt.measure's window over the bare loop, by turns"
    spread = f"standard error {error:.1g}"
    return [
        Result(claim, outside, GOAL, "at least", detail=detail),
        Result(turns, median(by_turn), GOAL, "at least", detail=spread),
    ]


def main() -> None:
    options = parser(__doc__).parse_args()
    num_turns, turn_s = (6, 1.5) if options.quick else (14, 3.5)
    report("api_overhead", overhead(num_turns, turn_s), options)


if __name__ == "__main__":
    main()
