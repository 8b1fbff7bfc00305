"""MMSegmentation's mIoU, which keeps what each image adds to it.

Imported inside `prepare`: registers `ImageIoU` with MMSegmentation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS


@METRICS.register_module(force=True)
class ImageIoU(IoUMetric):
    """As `IoUMetric`; after an evaluation `images` holds the intersections and unions by image and
    class, pixels, or None (on ranks to which the results were not sent)."""

    images: tuple[np.ndarray, np.ndarray] | None = None

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        intersect, union = (
            np.stack([np.asarray(result[part]) for result in results])
            if results
            else np.zeros((0, 0))
            for part in (0, 1)
        )
        self.images = intersect, union
        metrics: dict[str, float] = super().compute_metrics(results)
        return metrics
