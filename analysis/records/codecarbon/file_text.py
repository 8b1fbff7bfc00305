"""The bytes of one log as text: compressed or not, of whatever encoding. What is no text at all is
refused by what it is."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable

from metering.record import RecordError

_MOST_BYTES = 1 << 28
"""Of a compressed file that is unpacked: a thousand times the longest known log."""
_COMPRESSED: tuple[tuple[bytes, str, Callable[[io.BytesIO], io.BufferedIOBase]], ...] = (
    (b"\x1f\x8b", "gzip", lambda packed: gzip.GzipFile(fileobj=packed)),
    (b"BZh", "bzip2", bz2.BZ2File),
    (b"\xfd7zXZ", "xz", lzma.LZMAFile),
)
_LOST = bytes(64)
_PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"
_DAMAGES = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # a password
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
_LFS = b"version https://git-lfs"
_PAGES = (b"<!doctype html", b"<html", b"<?xml")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_of(content: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what was unusual of it. Raises `RecordError` with one line."""
    content, notes = _unpacked(content)
    if content.endswith(_LOST):
        content = content.rstrip(b"\0")
        notes = (*notes, "it ends in zeros, as a power cut leaves them: lines may be lost")
    if not content.strip():
        raise RecordError("the file is empty")
    head = content[:100].lstrip().lower()
    if head.startswith(_LFS):
        raise RecordError("a pointer of Git LFS and not the file: `git lfs pull` fetches it")
    if head.startswith(_PAGES):
        raise RecordError("a web page and not the file: download the file itself (GitHub: Raw)")
    encoding, name = _encoding(content)
    if encoding is None:
        raise RecordError("no text but a binary file: save it as CSV")
    text = content.decode(encoding, errors="replace")
    if name:
        notes = (*notes, name)
    return text.replace("\ufeff", ""), notes  # joined files have a mark in the middle too


def _encoding(content: bytes) -> tuple[str | None, str]:
    """None where it is no text, and a note of one that is unusual."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return encoding, f"the file is {encoding.upper()}"
    head = content[:1000]
    if 0 in head or head.startswith(_PARQUET):
        even, odd = head[::2], head[1::2]
        for encoding, low, high in (("utf-16-le", even, odd), ("utf-16-be", odd, even)):
            if high.count(0) > 0.9 * len(high) and 0 not in low:
                return encoding, "the file is UTF-16"
        return None, ""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252", "the file is not UTF-8; read as Windows-1252"
    return "utf-8", ""


def _unpacked(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """What is compressed, and a note of it; anything else as it is."""
    kinds = [(name, opened) for mark, name, opened in _COMPRESSED if content.startswith(mark)]
    if not kinds and not content.startswith(_ZIP):
        return content, ()
    name, opened = kinds[0] if kinds else ("zip", _only_csv_of)
    try:
        with opened(io.BytesIO(content)) as stream:
            unpacked = stream.read(_MOST_BYTES + 1)
    except _DAMAGES as why:
        raise RecordError(f"the file is compressed ({name}), but damaged: {why}") from None
    if len(unpacked) > _MOST_BYTES:
        raise RecordError(f"the file is compressed ({name}), and too long to be a log")
    return unpacked, (f"the file is compressed ({name})",)


def _only_csv_of(packed: io.BytesIO) -> io.BufferedIOBase:
    """Raises `RecordError`: a spreadsheet is a zip file too."""
    members = []
    with contextlib.suppress(zipfile.BadZipFile):
        archive = zipfile.ZipFile(packed)
        members = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(members) != 1:
        raise RecordError("a zip file or a spreadsheet, not one CSV file: save it as CSV")
    with archive.open(members[0]) as stream:
        return io.BytesIO(stream.read(_MOST_BYTES + 1))
