"""What timm's factory opened, as a loader reads it: in any order, or as a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.classification.unreadable import UnreadableImage
from tasks.errors import PlanError


class MapImages:
    """Samples in any order; `transform` is set by timm's loader. indices: which of them, None for
    all."""

    def __init__(
        self, images: Any, name: str, num_classes: int, indices: list[int] | None = None
    ) -> None:
        images._max_retries = 1  # timm would put the next sample in place of a broken one
        self.images, self.indices = images, indices
        self.transform: Callable[[Any], Any] | None = None
        self._name, self._num_classes = name, num_classes

    def __len__(self) -> int:
        return len(self.images) if self.indices is None else len(self.indices)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        place = index if self.indices is None else self.indices[index]
        try:
            pixels, label = self.images[place]
            fault = fault_of_mode(pixels.mode)
            pixels = pixels.convert("RGB")
        except Exception as error:  # each library of sets raises its own
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
            raise UnreadableImage(
                f"sample {place} of {self._name} cannot be decoded ({why}); correct or delete it"
            ) from error
        if fault is not None:
            raise UnreadableImage(f"sample {place} of {self._name} {fault}")
        label = required_label(label, self._num_classes, f"sample {place} of {self._name}")
        return (self.transform(pixels) if self.transform else pixels), label


def fault_of_mode(mode: str) -> str | None:
    """What is wrong with an image of Pillow's `mode`: it cuts numbers above 255 off, so that nearly
    all of an image of 16 bits is white."""
    if not mode.startswith(("I", "F")):
        return None
    return (
        f"has more than 8 bits a pixel (mode {mode}), of which 255 is the most; write it in 8 bits"
    )


class LabelCheck:
    """A stream's `target_transform`."""

    def __init__(self, name: str, num_classes: int) -> None:
        self._name, self._num_classes = name, num_classes

    def __call__(self, label: Any) -> int:
        return required_label(label, self._num_classes, f"a sample of {self._name}")


def required_label(label: Any, num_classes: int, sample: str) -> int:
    """`label` as a class. Raises `UnreadableImage`: on a GPU a class that the network does not
    have is an assertion of the device, which names nothing."""
    try:
        number = int(label) if int(label) == label else -1
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < num_classes:
        raise UnreadableImage(
            f"{sample} has the label {label!r}; labels go from 0 to {num_classes - 1} with "
            f"data.options.num_classes={num_classes}; correct one of the two"
        )
    return number


def is_stream(images: Any) -> bool:
    import torch

    return isinstance(images, torch.utils.data.IterableDataset)


def workers_of_stream(images: Any, wanted: int | None, default: int, num_ranks: int) -> int:
    """Loader processes of a rank: each needs a file (shard) of the stream of its own, and with none
    would wait for ever. Raises `PlanError`."""
    shards = _num_shards(images)
    if shards is None:
        return default if wanted is None else wanted
    if shards < num_ranks:
        raise PlanError(
            f"data=timm: {num_ranks} ranks read a stream of {shards} files (shards), at least one "
            "each; write it in more files, or use fewer devices"
        )
    most = shards // num_ranks
    if wanted is not None and wanted > most:
        raise PlanError(
            f"data.num_workers={wanted} of each rank share a stream of {shards} files (shards), at "
            f"least one each; use data.num_workers={most} or less"
        )
    return min(default, most) if wanted is None else wanted


def _num_shards(images: Any) -> int | None:
    reader = images.reader
    if (split := getattr(reader, "split_info", None)) is not None and hasattr(split, "filenames"):
        return len(split.filenames)  # a webdataset
    if (builder := getattr(reader, "builder", None)) is not None and hasattr(
        builder, "as_streaming_dataset"
    ):
        return int(builder.as_streaming_dataset(split=reader.split).num_shards)
    return None
