"""Streams of one name and size are told apart by their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import torch

from tasks.classification import timm_content


class Stream(torch.utils.data.IterableDataset[None]):
    def __init__(self, reader: SimpleNamespace) -> None:
        self.reader = reader

    def __iter__(self) -> Iterator[None]:
        return iter(())


def test_files_of_tensorflows_library_are_compared(tmp_path: Path) -> None:
    """Its package is not needed: a split tells the paths of its files."""
    digests = []
    for folder, content in (("one", b"a"), ("copy", b"a"), ("other", b"b")):
        path = tmp_path / folder / "mine-train.tfrecord-00000-of-00001"
        path.parent.mkdir()
        path.write_bytes(content)
        images = Stream(SimpleNamespace(split_info=SimpleNamespace(filepaths=[path])))
        digests.append(timm_content.digest(images))
    assert digests[0] == digests[1] != digests[2]


def test_a_stream_whose_files_are_not_known_has_no_digest() -> None:
    assert timm_content.digest(Stream(SimpleNamespace())) is None
