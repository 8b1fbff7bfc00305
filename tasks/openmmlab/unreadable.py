"""Samples that cannot be decoded, named through loader processes and libraries."""

from __future__ import annotations

import re

_MARK = "video cannot be decoded: "


class UnreadableVideo(RuntimeError):
    """A video that cannot be decoded; its message names the file and the cause."""

    @staticmethod
    def naming(filename: str, cause: str) -> UnreadableVideo:
        return UnreadableVideo(f"{_MARK}{filename} ({cause})")


def undecodable(error: BaseException) -> str | None:
    """What to say of the image or video that `error` is about, in one line; None if it is about
    none. Loader processes pass an error on with its traceback in its message."""
    for line in str(error).splitlines():
        if _MARK in line:
            return f"video {line.split(_MARK, 1)[1]} cannot be decoded"
    # what MMSegmentation's LoadImageFromFile asserts
    image = re.search(r"failed to load image: (\S+)", str(error))
    return f"image {image[1]} cannot be decoded" if image else None
