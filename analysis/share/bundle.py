"""A bundle: records in one file, a line each, behind a line that says how many.

    {"bundle_schema": 1, "num_records": 52, "made_by": "watt-for-what 0.1.0"}
    {"run_id": ..., "status": ..., ...}
    ...

A file that was cut off is then seen to be, and a reader needs one record in memory at a time.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from analysis.errors import AnalysisError
from metering import atomic_file
from metering.record import FILE_NAME, Record
from metering.record_file import to_json

BUNDLE_SCHEMA = 1
_MARK = b'{"bundle_schema"'
_GZIP = b"\x1f\x8b"


def write_bundle(records: Sequence[Record], target: Path) -> None:
    """`target` as a whole; compressed where its name ends in `.gz`. Raises `OSError`."""
    head = {
        "bundle_schema": BUNDLE_SCHEMA,
        "num_records": len(records),
        "made_by": f"watt-for-what {_version()}",
    }
    lines = [json.dumps(head), *(_one_line(record) for record in records)]
    content = ("\n".join(lines) + "\n").encode()
    if target.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    atomic_file.write(target, content)


def is_bundle(path: Path) -> bool:
    """Whether a file begins as a bundle does; what cannot be read is none. A compressed file that
    is damaged is one: `read_lines` says so."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            head = stream.read(len(_MARK))
        if not head.startswith(_GZIP):
            return head == _MARK
        with gzip.open(path) as unpacked:
            return unpacked.read(len(_MARK)) == _MARK
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return True
    except OSError:
        return False


def read_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Where each record stands (`FILE, record 3`) and its JSON. Raises `AnalysisError` where the
    file is no whole bundle of a schema that this version reads, or `OSError`."""
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content.startswith(_GZIP) else content
    except EOFError:
        raise AnalysisError(f"{path} was cut off; copy it again") from None
    except (zlib.error, gzip.BadGzipFile):
        raise AnalysisError(
            f"{path} is damaged: its compression does not add up; copy it again"
        ) from None
    first, *lines = content.split(b"\n")
    try:
        head = json.loads(first)
        schema, num_records = int(head["bundle_schema"]), int(head["num_records"])
    except (ValueError, TypeError, KeyError, OverflowError):
        raise AnalysisError(
            f"{path} is no bundle; `python -m analysis share RUN... --out FILE` makes one"
        ) from None
    if schema != BUNDLE_SCHEMA:
        raise AnalysisError(f"{path}: bundle_schema {schema} is unknown; update the suite")
    lines = [line for line in lines if line.strip()]
    if len(lines) != num_records:
        raise AnalysisError(
            f"{path} holds {len(lines)} records and says {num_records}; copy it again, whole"
        )
    for number, line in enumerate(lines, 1):
        yield f"{path}, record {number}", line


def unpack(path: Path, folder: Path) -> None:
    """Every record as `folder/NUMBER/record.json`, for what reads folders. Raises
    `AnalysisError` or `OSError`."""
    for number, (_, line) in enumerate(read_lines(path), 1):
        place = folder / f"{number:05d}"
        place.mkdir(parents=True)
        (place / FILE_NAME).write_bytes(line)


def _one_line(record: Record) -> str:
    return json.dumps(json.loads(to_json(record)), separators=(",", ":"), ensure_ascii=False)


def _version() -> str:
    try:
        return metadata.version("watt-for-what")
    except metadata.PackageNotFoundError:
        return "unknown"
