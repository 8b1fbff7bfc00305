"""Samples that cannot be decoded, named through loader processes and libraries."""

from __future__ import annotations

import re
from typing import Literal

_NAMED = re.compile(r"(video|mask) cannot be decoded: (.+)")
# what MMSegmentation's LoadImageFromFile asserts
_IMAGE = re.compile(r"failed to load image: (.+)")


class Unreadable(RuntimeError):
    """A sample that cannot be decoded; its message names the file and the cause."""

    @staticmethod
    def naming(kind: Literal["video", "mask"], filename: str, cause: str) -> Unreadable:
        return Unreadable(f"{kind} cannot be decoded: {filename} ({cause})")


def undecodable(error: BaseException) -> str | None:
    """What to say of the file that `error` is about, in one line; None if it is about none.

    Loader processes pass an error on with its traceback in its message, where lines of source
    come before the message itself: the last match is the file.
    """
    named = _NAMED.findall(str(error))
    if named:
        kind, file = named[-1]
        return f"{kind} {file} cannot be decoded"
    images = _IMAGE.findall(str(error))
    return f"image {images[-1]} cannot be decoded" if images else None
