"""Loads whose power or speed changes with heat, or from one state to another."""

from __future__ import annotations

import math

from benchmarks.simulation.loads import Workload


class Exponential(Workload):
    """Power that approaches its final value: a board that warms up, or whose boost ends.

    first: of the final power, at the start; tau_s: time constant.
    """

    first, tau_s = 0.94, 100.0

    def power(self) -> float:
        return 1 + (self.first - 1) * math.exp(-self.elapsed_s / self.tau_s)


class BoostThatEnds(Exponential):
    """From 350 W to 300 W."""

    first, tau_s = 350 / 300, 30.0


class TwoPowerStates(Workload):
    """Power changes between two levels every 30 seconds."""

    state_s, swing = 30.0, 0.08

    _offset_s: float | None = None

    def power(self) -> float:
        if self._offset_s is None:
            self._offset_s = self.random.uniform(0, 2 * self.state_s)
        in_first = (self.elapsed_s + self._offset_s) % (2 * self.state_s) < self.state_s
        return 1 + self.swing if in_first else 1 - self.swing


class Throttled(Workload):
    """After a minute the board is hot: from then on it is slower and draws less."""

    hot_s, slower, weaker = 60.0, 1.15, 0.8

    @property
    def true_j_per_sample(self) -> float:
        return super().true_j_per_sample * self.slower * self.weaker

    def _is_hot(self) -> bool:
        return self.elapsed_s > self.hot_s

    def scale(self) -> float:
        return super().scale() * (self.slower if self._is_hot() else 1.0)

    def power(self) -> float:
        return self.weaker if self._is_hot() else 1.0


class WanderingPower(Workload):
    """Power wanders by 4 %, and forgets where it was within 100 steps (eight seconds): AR(1)."""

    spread, num_remembered = 0.04, 100
    _apart: float | None = None

    def power(self) -> float:
        kept = math.exp(-1 / self.num_remembered)
        draw = self.random.gauss(0, self.spread)
        before = self._apart
        self._apart = draw if before is None else kept * before + math.sqrt(1 - kept**2) * draw
        return 1 + self._apart


class RandomPowerStates(Workload):
    """Power changes between levels by chance. levels: times the load's power; num_each: steps that
    each lasts on average (125 are ten seconds)."""

    levels: tuple[float, ...] = (1.08, 0.92)
    num_each: tuple[int, ...] = (125, 125)
    _state: int | None = None

    @property
    def true_j_per_sample(self) -> float:
        products = (a * b for a, b in zip(self.levels, self.num_each, strict=True))
        return super().true_j_per_sample * sum(products) / sum(self.num_each)

    def power(self) -> float:
        if self._state is None:
            (self._state,) = self.random.choices(range(len(self.levels)), self.num_each)
        if self.random.random() < 1 / self.num_each[self._state]:
            others = [one for one in range(len(self.levels)) if one != self._state]
            self._state = others[0] if len(others) == 1 else self.random.choice(others)
        return self.levels[self._state]


class SmallPowerStates(RandomPowerStates):
    """Levels that are closer to each other."""

    levels = (1.05, 0.95)


class LargePowerStates(RandomPowerStates):
    """Levels far apart."""

    levels = (1.2, 0.8)


class ShortPowerStates(RandomPowerStates):
    """Five seconds each."""

    num_each = (62, 62)


class UnequalPowerStates(RandomPowerStates):
    """Five seconds of one, fifteen of the other."""

    num_each = (62, 188)


class ThreePowerStates(RandomPowerStates):
    """Seven seconds each."""

    levels, num_each = (1.15, 1.0, 0.85), (88, 88, 88)


class ThrottledOnce(Workload):
    """Once in the first 45 seconds heat lowers the clocks for 40 steps, some five seconds: they
    take longer and draw less, and NVML tells the reason. Another run would have none of it."""

    num_throttled, slower, weaker = 40, 1.5, 0.75
    _left = 0
    _at_s: float | None = None

    def begins(self) -> bool:
        """Whether clocks are lowered from this step on."""
        if self._at_s is None:
            self._at_s = self.random.uniform(5.0, 45.0)
        has_come = self.elapsed_s > self._at_s
        if has_come:
            self._at_s = math.inf
        return has_come

    def scale(self) -> float:
        if self._left:
            self._left -= 1
        elif self.begins():
            self._left = self.num_throttled
        for gpu in self.machine.gpus:
            gpu.throttle_reasons = 0x20 if self._left else 0
        return super().scale() * (self.slower if self._left else 1.0)

    def power(self) -> float:
        return self.weaker if self._left else 1.0


class ThrottledNowAndThen(ThrottledOnce):
    """The same again and again, by chance, after 600 steps (48 s) on average."""

    rarely = 600

    @property
    def true_j_per_sample(self) -> float:
        share = self.num_throttled / (self.num_throttled + self.rarely)
        return super().true_j_per_sample * (1 - share + share * self.slower * self.weaker)

    def begins(self) -> bool:
        return self.random.random() < 1 / self.rarely


class LongPowerStates(RandomPowerStates):
    """The same, after 250 steps (20 seconds) on average."""

    num_each = (250, 250)


class RarePowerStates(RandomPowerStates):
    """The same, after 375 steps (30 seconds) on average."""

    num_each = (375, 375)
