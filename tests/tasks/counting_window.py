"""A window that asks for a number of steps and remembers what it was told."""

from __future__ import annotations


class CountingWindow:
    """Satisfied after `num_steps` steps."""

    def __init__(self, num_steps: int) -> None:
        self.num_steps = num_steps
        self.samples: list[int] = []
        self.waits_s: list[float] = []

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        self.samples.append(num_samples)
        self.waits_s.append(data_wait_s)
        return len(self.samples) >= self.num_steps
