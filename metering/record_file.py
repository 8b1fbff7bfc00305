"""The one reader of records, whatever their schema, and the one writer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pydantic_core
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from metering import atomic_file
from metering.bounds import MOST
from metering.json_values import shown
from metering.migrations import MIGRATIONS
from metering.record import FILE_NAME, SCHEMA_VERSION, Energy, Phase, Record, RecordError

_ADAPTER = TypeAdapter(Record)
_ENCODINGS = (
    (b"\xef\xbb\xbf", "begins with a byte order mark"),
    (b"\xff\xfe", "is UTF-16 or UTF-32"),
    (b"\xfe\xff", "is UTF-16"),
    (b"\x00\x00\xfe\xff", "is UTF-32"),
)

_GIT = (
    (b"version https://git-lfs", "a pointer of Git LFS; `git lfs pull` fetches the file"),
    (b"<<<<<<< ", "a conflict of Git's; resolve it, and keep one side"),
)


@dataclass(frozen=True)
class Totals:
    """Sums over the measured blocks of one phase, by the reading that counts of each component
    (`metering.block.preferred`); `None`: absent in every block."""

    num_samples: int
    duration_s: float
    energy: Energy
    num_blocks: int = 0


def read(path: str | Path) -> Record:
    """Read `path`. Raises `RecordError` or `OSError`."""
    return from_json(Path(path).read_bytes())


def write(record: Record, folder: Path) -> Path:
    """Write `record` as `folder/record.json`: whole or not at all, durable when it returns."""
    target = folder / FILE_NAME
    atomic_file.write(target, to_json(record).encode())
    return target


def to_json(record: Record) -> str:
    return _ADAPTER.dump_json(record, indent=1).decode()


def from_json(text: str | bytes) -> Record:
    """Parse a record. Raises `RecordError` with one line that names what is wrong."""
    return _validated(to_present_schema(text))


def summary_from_json(text: str | bytes) -> tuple[Record, dict[Phase, Totals]]:
    """The record without its readings, and their sums: a tenth of the time of `from_json`, since
    of the readings only what the sums need is looked at. Raises `RecordError`."""
    data = to_present_schema(text)
    totals: dict[Phase, Totals] = {}
    phases = data.get("phases")
    if isinstance(phases, dict):
        for name, phase in phases.items():
            if isinstance(phase, dict) and "readings" in phase:
                totals[name] = _totals(phase["readings"], name)
                phase["readings"] = ()
    return _validated(data), totals


def to_present_schema(text: str | bytes) -> dict[str, Any]:
    """The record's JSON with each key once, migrated. Raises `RecordError`."""
    content = text.encode() if isinstance(text, str) else text
    for mark, name in _ENCODINGS:
        if content.startswith(mark):
            raise RecordError(f"not JSON: the file {name}; save it as UTF-8 without a mark")
    for mark, description in _GIT:
        if content.startswith(mark):
            raise RecordError(f"not JSON: {description}")
    try:
        data = pydantic_core.from_json(content, cache_strings="keys")
    except ValueError as error:
        raise RecordError(f"not JSON: {error}") from None
    version = _version_of(data)
    compact = pydantic_core.to_json(data)
    _refuse_repeated_keys(content, compact)
    if version < SCHEMA_VERSION:
        digest = hashlib.sha256(compact).hexdigest()
        for old in range(version, SCHEMA_VERSION):
            if old not in MIGRATIONS:
                raise RecordError(f"schema_version {version} is unknown; measure again")
            data = MIGRATIONS[old](data, digest)
    return data


def _version_of(data: Any) -> int:
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise RecordError("not a record: it has no integer schema_version")
    if version > SCHEMA_VERSION:
        raise RecordError(
            f"schema_version {shown(version)} is newer than {SCHEMA_VERSION}, the newest this "
            "version reads; update the suite"
        )
    return version


def _refuse_repeated_keys(content: bytes, compact: bytes) -> None:
    """Of two equal keys the parser keeps the last without a word.

    Written anew, such a record has fewer colons than the file; only where their numbers differ, or
    a colon is written as an escape, is it parsed again, three times slower, by what sees every key.
    """
    has_escape = b"\\u003a" in content or b"\\u003A" in content
    if has_escape or content.count(b":") != compact.count(b":"):
        try:
            json.loads(content, object_pairs_hook=_once)
        except RecordError:
            raise
        except (ValueError, RecursionError) as error:
            raise RecordError(f"not JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise RecordError(f"the key {shown(key)} stands twice in one place; measure it again")
        values[key] = value
    return values


def _validated(data: dict[str, Any]) -> Record:
    try:
        record = _ADAPTER.validate_python(data)
    except ValueError as error:
        raise RecordError(_first_line_of(error)) from None
    for name, phase in record.phases.items():
        if phase.phase != name:
            raise RecordError(f"phases.{name}.phase: it says {phase.phase}; measure it again")
    return record


def _first_line_of(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return (str(error).splitlines() or [type(error).__name__])[0]
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    return f"{key}: {first['msg']}"


def _totals(readings: Any, phase: str) -> Totals:
    parts: dict[str, float | None] = {"gpu_kwh": None, "cpu_kwh": None, "ram_kwh": None}
    num_blocks, num_samples, duration_s, negative = 0, 0, 0.0, False
    try:
        for block in readings:
            if block.get("use", "measured") != "measured":
                continue
            samples, seconds, energy = block["num_samples"], block["duration_s"], block["energy"]
            if type(samples) is not int:
                raise TypeError("num_samples is no whole number")
            num_blocks += 1
            num_samples += samples
            duration_s += seconds
            if samples < 0 or seconds < 0:  # the sums would hide it
                negative = True
            own = block.get("own") or {}
            for name, sum_kwh in parts.items():
                kwh = own.get(name)
                kwh = energy.get(name) if kwh is None else kwh
                if kwh is not None:
                    parts[name] = (sum_kwh or 0.0) + kwh
                    if kwh < 0:
                        negative = True
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise RecordError(f"phases.{phase}.readings: not readings ({error!r})") from None
    known = [kwh for kwh in parts.values() if kwh is not None]
    sums = (*known, duration_s, num_samples)
    if negative or not all(0 <= number <= MOST for number in sums):
        raise RecordError(
            f"phases.{phase}.readings: an energy, duration or count is not a number >= 0, "
            "or out of range"
        )
    return Totals(num_samples, duration_s, Energy(**parts), num_blocks)
