"""`data.fraction`: which part of a training set a run trains on."""

from __future__ import annotations

import random


def train_indices(num_train: int, fraction: float, seed: int) -> list[int] | None:
    """A random, seeded part of the training samples, sorted; None for all of them."""
    if fraction >= 1:
        return None
    count = max(1, round(num_train * fraction))
    return sorted(random.Random(seed).sample(range(num_train), count))
