"""Whether a video's file is as long as its own headers say, of MP4, AVI and Matroska (WebM), read
from few bytes: decoders read what is there of a cut-off file, which is then another, shorter clip.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_ISO_TYPES = (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""Of the first box of an MP4 or QuickTime file."""
_MAX_BOXES = 10_000
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def fault(path: Path) -> str | None:
    """What is wrong with the file as a file. Raises `OSError` where it cannot be opened."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            return "it is empty (0 bytes)"
        start = file.read(12)
        end = 0
        if start[:4] == b"RIFF":
            end = 8 + int.from_bytes(start[4:8], "little")
        elif start[4:8] in _ISO_TYPES:
            end = _end_of_boxes(file, size)
        elif start[:4] == _EBML:
            end = _end_of_segment(file)
    return f"it is cut off: it has {size:,} of {end:,} bytes" if end > size else None


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Where the last box of an ISO file ends by its header (ISO/IEC 14496-12, section 4.2)."""
    place = 0
    for _ in range(_MAX_BOXES):
        file.seek(place)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: to the end of the file
            break
        place += length
        if place >= size:
            break
    return place


def _end_of_segment(file: BinaryIO) -> int:
    """Where the segment of a Matroska file ends by its header (RFC 8794, section 4); 0 where that
    does not say."""
    file.seek(len(_EBML))
    length = _number(file)
    if length is None:
        return 0
    file.seek(length, os.SEEK_CUR)
    if file.read(len(_SEGMENT)) != _SEGMENT:
        return 0
    length = _number(file)
    return 0 if length is None else file.tell() + length


def _number(file: BinaryIO) -> int | None:
    """A number of variable length: as many zeros as it has further bytes come before its first 1.
    None for one that is unknown (all ones)."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    num_further = 8 - first[0].bit_length()
    most = (1 << (7 * (num_further + 1))) - 1
    number = int.from_bytes(first + file.read(num_further), "big") & most
    return None if number == most else number
