"""timm's augmentations on Pillow 13. This can go once timm no longer asks for 0 bits."""

from __future__ import annotations

from typing import Any

OPERATIONS = ("Posterize", "PosterizeIncreasing", "PosterizeOriginal")


def posterize(image: Any, bits_to_keep: int, **_: Any) -> Any:
    """`image` with so many bits of each channel. timm's policies sometimes keep none: a black
    image, as it was with older Pillow, which Pillow 13 refuses with a `ValueError`."""
    from timm.data import auto_augment

    if bits_to_keep < 1:
        return image.point([0] * 256 * len(image.getbands()))
    return auto_augment.posterize(image, bits_to_keep)


def install() -> None:
    """Let timm's policies use our `posterize`. Call before a loader is made."""
    from timm.data import auto_augment

    auto_augment.NAME_TO_OP.update(dict.fromkeys(OPERATIONS, posterize))
