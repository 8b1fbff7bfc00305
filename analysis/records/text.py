"""One record's JSON text into a dict of the present schema, each key once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pydantic_core

from analysis.records.config_facts import shown
from metering.record import SCHEMA_VERSION, RecordError, schema_version_of

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Schema version -> the function that turns a record of it into one of the next version."""


def parsed(text: bytes) -> dict[str, Any]:
    """The record's JSON, migrated to the present schema. Raises `RecordError` with one line
    that says what is wrong."""
    try:
        data = pydantic_core.from_json(text, cache_strings="keys")
    except ValueError as error:
        raise RecordError(f"not JSON: {error}") from None
    _refuse_repeated_keys(text, data)
    version = schema_version_of(data)
    for old in range(version, SCHEMA_VERSION):
        if old not in MIGRATIONS:
            raise RecordError(f"schema_version {version} is unknown; measure again")
        data = MIGRATIONS[old](data)
    return data


def _refuse_repeated_keys(text: bytes, data: Any) -> None:
    """Of two equal keys the parser keeps the last without a word.

    Written anew, such a record has fewer colons than the file; only where their numbers differ
    is it parsed again, three times slower, by what sees every key.
    """
    if text.count(b":") != pydantic_core.to_json(data).count(b":"):
        json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RecordError(f"the key {shown(key)} stands twice in one place; measure it again")
        found[key] = value
    return found
