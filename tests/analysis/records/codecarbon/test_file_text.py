"""Bytes of a log as text, and what is no text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from analysis.records.codecarbon.file_text import text_of
from metering.record import RecordError

TEXT = "timestamp,duration,energy_consumed\n2025-03-01T10:05:00,1,2\n"
ZEROS = "it ends in zeros, as a power cut leaves them: lines may be lost"


def _zipped(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (gzip.compress(TEXT.encode()), "the file is compressed (gzip)"),
        (bz2.compress(TEXT.encode()), "the file is compressed (bzip2)"),
        (lzma.compress(TEXT.encode()), "the file is compressed (xz)"),
        (_zipped("emissions.csv"), "the file is compressed (zip)"),
        (TEXT.encode("utf-16"), "the file is UTF-16"),
        (TEXT.encode("utf-16-le"), "the file is UTF-16"),
        (TEXT.encode("utf-16-be"), "the file is UTF-16"),
        (TEXT.encode("utf-32"), "the file is UTF-32"),
        (TEXT.encode() + bytes(4096), ZEROS),
    ],
)
def test_compressed_and_encoded_text_is_read_and_told(content: bytes, note: str) -> None:
    assert text_of(content) == (TEXT, (note,))


def test_the_marks_of_joined_files_are_no_text() -> None:
    one = TEXT.encode("utf-8-sig")
    assert text_of(one + one) == (2 * TEXT, ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" \n", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page and not the file"),
        (_zipped("xl/workbook.xml"), "a zip file or a spreadsheet"),
        (_zipped("a.csv", "b.csv"), "a zip file or a spreadsheet"),
        (b"PK\x03\x04 and no more", "a zip file or a spreadsheet"),
        (b"PAR1\x15\x04", "no text but a binary file"),
        (bytes(10), "no text but a binary file"),
        (bytes(100), "the file is empty"),
        (gzip.compress(TEXT.encode())[:-9], "is compressed (gzip), but damaged"),
        (bz2.compress(TEXT.encode())[:-9], "is compressed (bzip2), but damaged"),
    ],
)
def test_what_is_no_text_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(RecordError) as error:
        text_of(content)
    assert reason in str(error.value)
