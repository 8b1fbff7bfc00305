"""Which samples a set of timm's factory holds, in a digest: sets of one name, size and classes may
hold others. A set that is read in any order gives some samples, a stream the files it is read from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tasks.classification.timm_images import is_stream
from tasks.data import content_digest


def digest(*splits: Any) -> str | None:
    """splits: data sets that the factory opened; `None` for a stream whose files are not known."""
    entries = [
        (split, *entry)
        for split, images in enumerate(splits)
        for entry in (_of_stream(images) if is_stream(images) else _of_samples(images))
    ]
    return content_digest.digest(entries) if entries else None


def _of_samples(images: Any) -> Iterable[Sequence[Any]]:
    for index in content_digest.spread(range(len(images))):
        try:
            yield _sample(images, index)
        except Exception:  # each library of sets raises its own; the run says which is broken
            yield index, "unreadable"


def _sample(images: Any, index: int) -> Sequence[Any]:
    """Digest of the bytes as they are stored, where the library gives them, else of the pixels;
    label."""
    reader, paths = getattr(images, "reader", None), getattr(images, "samples", None)
    if reader is not None:
        stored, label = reader[index]
        with stored:
            content = stored.read()
    elif paths is not None:
        path, label = paths[index]
        content = Path(path).read_bytes()
    else:
        pixels, label = images[index]
        content = f"{pixels.size} {pixels.mode}".encode() + pixels.tobytes()
    return index, hashlib.sha256(content).hexdigest(), label


def _of_stream(images: Any) -> Iterable[Sequence[Any]]:
    """Names of the files, and what is in them where they lie on this machine."""
    paths = [Path(name) for name in _file_names(images.reader)]
    for path in content_digest.spread(paths):
        yield path.name, content_digest.content(path)


def _file_names(reader: Any) -> list[str]:
    split = getattr(reader, "split_info", None)
    if (paths := getattr(split, "filepaths", None)) is not None:  # TensorFlow's library
        return list(map(str, paths))
    if (shards := getattr(split, "filenames", None)) is not None:  # a webdataset
        return [str(Path(reader.root) / name) for name in shards]
    files = getattr(getattr(getattr(reader, "builder", None), "config", None), "data_files", None)
    return [] if files is None else list(map(str, files.get(reader.split, ())))
