"""Batches that were decoded once and stay on the device: no input pipeline is measured."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any


class KeptBatches:
    """The first `number` batches of `decoding`, a loader, over and over, to its length; all else
    is as that has it. They are decoded when the first is asked for."""

    def __init__(self, decoding: Any, number: int) -> None:
        self.decoding, self._number = decoding, number
        self._kept: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.decoding, name)

    def __len__(self) -> int:
        return len(self.decoding)

    def __iter__(self) -> Iterator[Any]:
        if not self._kept:
            # a copy: the loader may fill the same memory with the next batch
            self._kept = [
                tuple(part.clone() for part in batch)
                for batch in itertools.islice(self.decoding, self._number)
            ]
        return itertools.islice(itertools.cycle(self._kept), len(self))
