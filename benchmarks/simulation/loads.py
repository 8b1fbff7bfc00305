"""Loads whose mean energy per sample is known, as real ones behave: cold starts, noise that is
correlated or heavy-tailed, stalls, data of many lengths."""

from __future__ import annotations

import math
import random
from typing import Any

from benchmarks.simulation.nvml import Machine


class Workload:
    """Training steps whose mean energy per sample, in the long run, is `true_j_per_sample`.

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
        self._began_s: float | None = None

    @property
    def true_j_per_sample(self) -> float:
        """Per GPU."""
        return self.step_s * (0.6 * self.busy_w + 0.4 * self.waiting_w) / self.batch_size

    @property
    def elapsed_s(self) -> float:
        """Since the first step began."""
        if self._began_s is None:
            self._began_s = self.machine.now_s
        return self.machine.now_s - self._began_s

    def step(self) -> int:
        """One step; the number of samples."""
        scale = self.scale()
        self._num_steps += 1
        power = self.power()
        # time wanders, power stays under the board's limit: their product has the known mean
        self.machine.work(0.6 * self.step_s * scale, power * self.busy_w)
        self.machine.work(0.4 * self.step_s * scale, power * self.waiting_w)
        self.after()
        return self.batch_size

    def scale(self) -> float:
        """Of this step's length."""
        draw = self.random.gauss(0, self.noise * math.sqrt(1 - self.correlation**2))
        self._drift = self.correlation * self._drift + draw
        scale = max(0.1, 1 + self._drift)
        if self._num_steps < self.num_cold_steps:
            scale *= 0.7 + 0.3 * self._num_steps / self.num_cold_steps
        return scale

    def power(self) -> float:
        """Of this step's power."""
        return 1.0

    def after(self) -> None:
        """What happens between this step and the next."""


class RandomStalls(Workload):
    """After one step in a hundred, by chance, the loader makes the GPU wait for a second."""

    share, stall_s = 0.01, 1.0

    @property
    def true_j_per_sample(self) -> float:
        stall_j = self.share * self.stall_s * self.waiting_w
        return super().true_j_per_sample + stall_j / self.batch_size

    def after(self) -> None:
        if self.random.random() < self.share:
            self.machine.work(self.stall_s, self.waiting_w)


class RareStalls(RandomStalls):
    """After one step in three hundred, by chance, two seconds pass."""

    share, stall_s = 1 / 300, 2.0


class PeriodicStalls(RandomStalls):
    """After every 50th step half a second passes: a log line, a checkpoint."""

    share, stall_s = 0.02, 0.5

    def after(self) -> None:
        if self._num_steps % 50 == 0:
            self.machine.work(self.stall_s, self.waiting_w)


class HalfSecondStalls(RandomStalls):
    """The same by chance: after one step in 50."""

    share, stall_s = 0.02, 0.5


class HeavyTails(Workload):
    """Lengths of steps are log-normal: most are short, a few many times as long."""

    sigma = 0.6

    def scale(self) -> float:
        return self.random.lognormvariate(-(self.sigma**2) / 2, self.sigma)


class Waves(Workload):
    """Steps become longer and shorter in a rhythm of seven seconds."""

    swing, wave_s = 0.08, 7.0

    def scale(self) -> float:
        phase = 2 * math.pi * self.elapsed_s / self.wave_s
        # steps that are long come less often: the mean over steps is 1 / mean(1 / scale)
        mean = math.sqrt(1 - self.swing**2)
        return super().scale() * (1 + self.swing * math.sin(phase)) / mean


class RandomWaves(Workload):
    """Waves, each of 3 to 14 seconds' worth of steps, by chance."""

    swing = 0.08
    _place, _per_step = 1.0, 0.0

    def scale(self) -> float:
        if self._place >= 1.0:
            self._place -= 1.0
            self._per_step = self.step_s / self.random.uniform(3.0, 14.0)
        self._place += self._per_step
        return super().scale() * (1 + self.swing * math.sin(2 * math.pi * self._place))


class Bimodal(Workload):
    """One step in five is three times as long: a bucket of long sequences."""

    def scale(self) -> float:
        return super().scale() * (3.0 if self.random.random() < 0.2 else 1.0) / 1.4


class LengthsByTurns(Workload):
    """Steps are long, then short, as the data are: `num_each` of each."""

    num_each, swing = 1, 0.5

    def scale(self) -> float:
        is_long = (self._num_steps // self.num_each) % 2 == 0
        return super().scale() * (1 + self.swing if is_long else 1 - self.swing)


class LengthsInBuckets(LengthsByTurns):
    """A loader that sorts: 50 steps of long data, then 50 of short."""

    num_each = 50


class RandomBuckets(Workload):
    """The same where the length of a bucket is chance: 50 steps on average."""

    num_each, swing = 50, 0.5
    _is_long: bool | None = None

    def scale(self) -> float:
        if self._is_long is None:
            self._is_long = self.random.random() < 0.5
        if self.random.random() < 1 / self.num_each:
            self._is_long = not self._is_long
        return super().scale() * (1 + self.swing if self._is_long else 1 - self.swing)


class StolenCpu(Workload):
    """A host that takes the CPU away: one step in twenty waits for it, as does one call of NVML in
    twenty, 0.1 s on average."""

    share, stolen_s = 0.05, 0.1

    def __init__(self, machine: Machine, seed: int, **options: Any) -> None:
        super().__init__(machine, seed, **options)
        machine.preempted_s = self._stolen_s

    @property
    def true_j_per_sample(self) -> float:
        return (
            super().true_j_per_sample
            + self.share * self.stolen_s * self.waiting_w / self.batch_size
        )

    def _stolen_s(self) -> float:
        if self.random.random() >= self.share:
            return 0.0
        return self.random.expovariate(1 / self.stolen_s)

    def after(self) -> None:
        if stolen_s := self._stolen_s():
            self.machine.work(stolen_s, self.waiting_w)
