"""What the meter is compared with: one that reads each block alone and ends at the first narrow
interval."""

from __future__ import annotations

import math
import statistics

from scipy.stats import t as student_t

from benchmarks.simulation.loads import Workload
from benchmarks.simulation.nvml import Machine

BLOCK_S, LEAST_BLOCKS, RELATIVE_ERROR, BUDGET_S = 1.0, 8, 0.02, 240.0


def naive_window(machine: Machine, load: Workload, codecarbon_s: float) -> tuple[float, float]:
    """Mean joules per sample of all GPUs, and its half-width by Student's t over the blocks. Each
    block is opened and closed by a reading of its own, and by CodeCarbon; the first is left out."""
    rates: list[float] = []
    opened_s = machine.now_s
    half_width = math.inf
    while machine.now_s - opened_s < BUDGET_S:
        rates.append(_block(machine, load, codecarbon_s))
        if len(rates) <= LEAST_BLOCKS:
            continue
        kept = rates[1:]
        error = statistics.stdev(kept) / math.sqrt(len(kept))
        half_width = float(student_t.ppf(0.975, len(kept) - 1)) * error
        if half_width <= RELATIVE_ERROR * statistics.fmean(kept):
            break
    return statistics.fmean(rates[1:]), half_width


def _block(machine: Machine, load: Workload, codecarbon_s: float) -> float:
    """Joules per sample."""
    machine.idle(codecarbon_s)
    before_j, began_s = _read_j(machine), machine.now_s
    num_samples = 0
    while machine.now_s - began_s < BLOCK_S:
        num_samples += load.step()
    used_j = _read_j(machine) - before_j
    machine.idle(codecarbon_s)
    return used_j / num_samples


def _read_j(machine: Machine) -> float:
    return sum(map(machine.nvmlDeviceGetTotalEnergyConsumption, machine.gpus)) / 1000
