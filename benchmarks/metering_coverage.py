"""How often the 95 % interval holds the true energy, on simulated GPUs. Prints one line a case.

    python -m benchmarks.metering_coverage [--trials 300] [--without-waits]

Simulated: counters that move every 100 ms, a drifting load, a cold start; no GPU is needed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import J_PER_KWH, measure, simulated, simulated_meter
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering import window
from metering.settings import MeterSettings

CASES: dict[str, tuple[dict[str, float], dict[str, float]]] = {
    "steady load": ({}, {"num_cold_steps": 0}),
    "cold start of 20 steps": ({}, {"num_cold_steps": 20}),
    "cold start of 60 steps, strong drift": (
        {},
        {"num_cold_steps": 60, "noise": 0.1, "correlation": 0.9},
    ),
    "cold start of 20 steps, slow strong drift": (
        {},
        {"num_cold_steps": 20, "noise": 0.1, "correlation": 0.97},
    ),
    "counter that looks 25 % of the time": ({"duty": 0.25}, {"num_cold_steps": 20}),
    "the same, and steps that keep time with it": (
        {"duty": 0.25},
        {"num_cold_steps": 20, "step_s": 0.1, "noise": 0.005},
    ),
}


def trial(seed: int, gpu: dict[str, float], load: dict[str, float], folder: Path) -> bool:
    """Whether one window's interval holds the truth."""
    machine = Machine(SimulatedGpu("GPU-a", phase_s=0.1 * (seed % 7) / 7, **gpu))  # type: ignore[arg-type]
    with simulated(machine):
        workload = Workload(machine, seed, **load)  # type: ignore[arg-type]
        meter = simulated_meter(machine, folder, MeterSettings())
        interval = measure(meter, workload).energy_kwh_per_sample
    if interval is None or interval.half_width is None:
        return False
    error = abs(interval.mean * J_PER_KWH - workload.true_j_per_sample)
    return error <= interval.half_width * J_PER_KWH


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument(
        "--without-waits", action="store_true", help="never shift blocks against the sensor"
    )
    options = parser.parse_args()
    trials = options.trials
    if options.without_waits:
        window.locked = lambda *_: False
    with tempfile.TemporaryDirectory() as folder:
        for name, (gpu, load) in CASES.items():
            held = sum(trial(5000 + n, gpu, load, Path(folder)) for n in range(trials))
            print(f"{name}: {held} of {trials} intervals hold ({100 * held / trials:.1f} %)")


if __name__ == "__main__":
    main()
