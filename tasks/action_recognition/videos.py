"""MMAction2's video data set, with its undecodable videos named, or counted and left out.

Imported inside `prepare`: registers `WatchedVideos` with MMAction2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS

from tasks.action_recognition import lists, video_check
from tasks.openmmlab.unreadable import Unreadable


@DATASETS.register_module(force=True)
class WatchedVideos(VideoDataset):
    """skip: the next video stands in for one that cannot be decoded; otherwise the first such
    video is an error."""

    def __init__(self, *args: Any, skip: bool = False, **kwargs: Any) -> None:
        self._skip = skip
        self._num_skipped = torch.zeros(1, dtype=torch.int64).share_memory_()
        super().__init__(*args, **kwargs)

    @property
    def num_skipped(self) -> int:
        """How often a video was left out, over all loader processes of this rank: they are begun
        after the data set is made, and share the number with it."""
        return int(self._num_skipped)

    def load_data_list(self) -> list[dict[str, Any]]:
        """The annotation list as `lists` reads it: tabs, blanks in names, a byte order mark."""
        folder = Path(self.data_prefix["video"])
        return [
            {"filename": str(folder / name), "label": label}
            for name, label in lists.read(Path(self.ann_file))
        ]

    def prepare_data(self, idx: int) -> Any:
        """A packed sample. Raises `Unreadable`; where videos are skipped, only when none
        of the set can be decoded."""
        for step in range(len(self)):
            index = (idx + step) % len(self)
            try:
                return super().prepare_data(index)
            except Exception as error:
                filename = self.get_data_info(index)["filename"]
                fault = video_check.fault(Path(filename))
                if fault is None:  # the video is sound, so something else is broken
                    raise
                if not self._skip:
                    raise Unreadable.naming("video", filename, fault) from error
                self._num_skipped += 1
        raise Unreadable.naming("video", filename, "nor any other video of the set")
