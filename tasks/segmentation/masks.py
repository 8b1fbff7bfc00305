"""MMSegmentation's loading of label masks, with the mask named that cannot be decoded.

Imported inside `prepare`: registers `NamedAnnotations` with MMSegmentation.
"""

from __future__ import annotations

from typing import Any

from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS

from tasks.openmmlab.unreadable import Unreadable

# Pillow says SyntaxError of a broken PNG; OpenCV gives None, which has no attributes
_BROKEN = (OSError, SyntaxError, ValueError, AttributeError)


@TRANSFORMS.register_module(force=True)
class NamedAnnotations(LoadAnnotations):
    """As `LoadAnnotations`; raises `Unreadable`, which an image's own loader need not."""

    def _load_seg_map(self, results: dict[str, Any]) -> None:
        try:
            super()._load_seg_map(results)
        except _BROKEN as error:
            cause = (str(error).splitlines() or [""])[0]
            raise Unreadable.naming("mask", results["seg_map_path"], cause) from error
