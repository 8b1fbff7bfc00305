"""`data.fraction`: a seeded part of the training samples."""

from __future__ import annotations

from tasks.data.shares import train_indices


def test_a_fraction_is_a_seeded_part() -> None:
    assert train_indices(100, 1.0, seed=0) is None
    part = train_indices(100, 0.1, seed=0)
    assert part is not None and len(set(part)) == 10 and part == train_indices(100, 0.1, seed=0)
    assert part != train_indices(100, 0.1, seed=1)


def test_the_smallest_part_is_one_sample() -> None:
    assert len(train_indices(8, 0.01, seed=0) or ()) == 1
