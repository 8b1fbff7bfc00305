"""How uncertain a mean IoU is as a sample of images: a bootstrap over whole images.

The pixels of an image are not independent, so images are what is drawn again (Efron and Tibshirani
1993, "An Introduction to the Bootstrap", chapters 6 and 13). mIoU sums over all images first and
divides then, so each image keeps its intersections and unions by class.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from metering import atomic_file

FILE_NAME = "miou_images.npz"
"""Beside the record: `intersect` and `union`, pixels, (images, classes)."""
LEAST_IMAGES = 30
"""Fewer say too little of how images differ: the bootstrap's interval is too narrow then."""
NUM_DRAWS = 1_000


def miou_pct(intersect: np.ndarray, union: np.ndarray) -> np.ndarray:
    """Mean over the classes that occur, percent, of sums over images; (..., classes) -> (...)."""
    share = np.divide(
        intersect, union, out=np.full(np.shape(union), np.nan), where=np.asarray(union) > 0
    )
    return 100 * np.nanmean(share, axis=-1)


def half_width_pct(
    intersect: np.ndarray, union: np.ndarray, num_draws: int = NUM_DRAWS, seed: int = 0
) -> float | None:
    """Half-width of the 95 % interval of the mIoU, percentage points: of its percentile interval
    the longer side. None of fewer than `LEAST_IMAGES` images.

    intersect, union: pixels, (images, classes).
    """
    num = len(intersect)
    if num < LEAST_IMAGES:
        return None
    drawn = np.random.default_rng(seed).multinomial(num, np.full(num, 1 / num), size=num_draws)
    weights = drawn.astype(float)
    values = miou_pct(weights @ intersect, weights @ union)
    low, high = np.quantile(values, (0.025, 0.975))
    value = float(miou_pct(intersect.sum(axis=0), union.sum(axis=0)))
    return float(max(high - value, value - low))


def keep(intersect: np.ndarray, union: np.ndarray, folder: Path) -> None:
    """Write the counts as `folder/miou_images.npz`, whole or not at all. Raises `OSError`."""
    stream = io.BytesIO()
    np.savez_compressed(stream, intersect=intersect.astype(np.int64), union=union.astype(np.int64))
    atomic_file.write(folder / FILE_NAME, stream.getvalue())
