"""Loads whose mean energy per sample is known."""

from __future__ import annotations

import math
import random

from benchmarks.simulation.nvml import Machine


class Workload:
    """Training steps whose mean energy per sample is known: `true_j_per_sample`.

    A step computes for 60 % of its time and waits for 40 %; its length and its power wander
    slowly (AR(1), `correlation`) and jitter; the first `num_cold_steps` draw less power.
    """

    def __init__(
        self,
        machine: Machine,
        seed: int,
        *,
        step_s: float = 0.08,
        batch_size: int = 32,
        noise: float = 0.05,
        correlation: float = 0.5,
        num_cold_steps: int = 60,
    ) -> None:
        self.machine, self.random = machine, random.Random(seed)
        self.step_s, self.batch_size, self.noise = step_s, batch_size, noise
        self.correlation, self.num_cold_steps = correlation, num_cold_steps
        self.busy_w, self.waiting_w = 250.0, 90.0
        self._drift = 0.0
        self._num_steps = 0

    @property
    def true_j_per_sample(self) -> float:
        """Per GPU."""
        return self.step_s * (0.6 * self.busy_w + 0.4 * self.waiting_w) / self.batch_size

    def step(self) -> int:
        draw = self.random.gauss(0, self.noise * math.sqrt(1 - self.correlation**2))
        self._drift = self.correlation * self._drift + draw
        scale = max(0.1, 1 + self._drift)
        if self._num_steps < self.num_cold_steps:
            scale *= 0.7 + 0.3 * self._num_steps / self.num_cold_steps
        self._num_steps += 1
        # time wanders, power stays under the board's limit: their product has the known mean
        self.machine.work(0.6 * self.step_s * scale, self.busy_w)
        self.machine.work(0.4 * self.step_s * scale, self.waiting_w)
        return self.batch_size
