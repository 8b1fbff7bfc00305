"""The mIoU's interval over images: what it is of, how often it holds, what is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks.segmentation.image_bootstrap import FILE_NAME, half_width_pct, keep, miou_pct


def images(num: int, seed: int, num_classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Intersections and unions of `num` images, each easier or harder as a whole."""
    generator = np.random.default_rng(seed)
    union = generator.integers(0, 5_000, (num, num_classes)).astype(float)
    share = np.clip(generator.normal(0.7, 0.15, (num, 1)), 0.0, 1.0)
    return np.floor(share * union), union


def test_the_mean_is_over_classes_that_occur_of_sums_over_images() -> None:
    intersect, union = (
        np.array([[1.0, 0.0, 3.0], [1.0, 0.0, 1.0]]),
        np.array([[2, 0, 4], [2, 0, 4]]),
    )
    assert miou_pct(intersect.sum(axis=0), union.sum(axis=0)) == pytest.approx(
        100 * (0.5 + 0.5) / 2
    )


def test_few_images_have_no_interval() -> None:
    assert half_width_pct(*images(29, 0)) is None


def test_equal_images_have_no_sampling_error() -> None:
    assert half_width_pct(np.full((40, 3), 2.0), np.full((40, 3), 4.0)) == 0.0


def test_the_interval_holds_as_often_as_it_says() -> None:
    """95 % is due; 200 test sets of 100 images, each against 50,000 images of the same kind."""
    everything = images(50_000, 1)
    truth = float(miou_pct(*(counts.sum(axis=0) for counts in everything)))
    held = 0
    for trial in range(200):
        some = images(100, 1_000 + trial)
        value = float(miou_pct(*(counts.sum(axis=0) for counts in some)))
        half_width = half_width_pct(*some, num_draws=300)
        assert half_width is not None
        held += abs(value - truth) <= half_width
    assert 0.90 <= held / 200 <= 0.99


def test_the_counts_of_each_image_are_kept(tmp_path: Path) -> None:
    intersect, union = images(40, 0)
    keep(intersect, union, tmp_path)
    with np.load(tmp_path / FILE_NAME) as kept:
        assert np.array_equal(kept["intersect"], intersect)
        assert np.array_equal(kept["union"], union)
