"""timm's augmentations on Pillow 13. This can go once timm no longer asks for 0 bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

OPERATIONS = ("Posterize", "PosterizeIncreasing", "PosterizeOriginal")


def posterize(image: Any, bits_to_keep: int, **_: Any) -> Any:
    """`image` with so many bits of each channel. timm's policies sometimes keep none: a black
    image, as it was with older Pillow, which Pillow 13 refuses with a `ValueError`."""
    from timm.data import auto_augment

    if bits_to_keep < 1:
        return image.point([0] * 256 * len(image.getbands()))
    return auto_augment.posterize(image, bits_to_keep)


@contextmanager
def repeats_on_one_rank() -> Iterator[None]:
    """timm repeats an image only over several ranks; here its own sampler is told of the one."""
    from timm.data import loader
    from timm.data.distributed_sampler import RepeatAugSampler

    loader.RepeatAugSampler = partial(RepeatAugSampler, num_replicas=1, rank=0)  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        loader.RepeatAugSampler = RepeatAugSampler  # type: ignore[misc]


def install() -> None:
    """Let timm's policies use our `posterize`. Call before a loader is made."""
    from timm.data import auto_augment

    auto_augment.NAME_TO_OP.update(dict.fromkeys(OPERATIONS, posterize))
