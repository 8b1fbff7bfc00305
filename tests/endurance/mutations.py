"""Damage to records and to CSV logs, drawn from a seeded generator."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

STRANGE: tuple[Any, ...] = (
    None, True, "", "text", "1e400", "\ud7ff\u0000", -1, 0, 2**63, 10**40, 10**400, 1e308, -1e308,
    5e-324, float("nan"), float("inf"), [], {}, [None], {"a": 1}, [[1]], "x" * 10_000,
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-32", "utf-8-sig", "latin-1", "cp500")


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a tree of dicts and lists."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in list(pairs):
        yield value, key
        if isinstance(below, dict | list):
            yield from spots(below)


def _wrong_type(text: str, draw: random.Random) -> bytes:
    data = json.loads(text)
    for _ in range(draw.choice((1, 1, 3))):
        container, key = draw.choice(list(spots(data)))
        container[key] = draw.choice(STRANGE)
    return json.dumps(data).encode()  # NaN and Infinity as Python writes them


def _without_a_key(text: str, draw: random.Random) -> bytes:
    data = json.loads(text)
    container, key = draw.choice([spot for spot in spots(data) if isinstance(spot[0], dict)])
    del container[key]
    return json.dumps(data).encode()


def _unknown_key(text: str, draw: random.Random) -> bytes:
    data = json.loads(text)
    container, _ = draw.choice([spot for spot in spots(data) if isinstance(spot[0], dict)])
    container["unknown"] = draw.choice(STRANGE)
    return json.dumps(data).encode()


def _duplicated_key(text: str, draw: random.Random) -> bytes:
    container, key = draw.choice(
        [spot for spot in spots(json.loads(text)) if isinstance(spot[0], dict)]
    )
    again = f"{json.dumps(key)}: {json.dumps(draw.choice((container[key], *STRANGE)))}, "
    at = text.index(json.dumps(key))
    return (text[:at] + again + text[at:]).encode()


def _truncated(text: str, draw: random.Random) -> bytes:
    whole = text.encode()
    return whole[: draw.randrange(len(whole))]


def _flipped(text: str, draw: random.Random) -> bytes:
    damaged = bytearray(text.encode())
    for _ in range(draw.choice((1, 5, 50))):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged)


def _other_encoding(text: str, draw: random.Random) -> bytes:
    return text.replace("swin_t", "swin_t\u00e9").encode(draw.choice(ENCODINGS))


def _nested(text: str, draw: random.Random) -> bytes:
    deep = draw.choice((100, 100_000))
    return text.replace('"swin_t"', "[" * deep + "]" * deep).encode()


RECORD_DAMAGES: tuple[Callable[[str, random.Random], bytes], ...] = (
    _wrong_type, _wrong_type, _wrong_type, _without_a_key, _unknown_key, _duplicated_key,
    _truncated, _flipped, _other_encoding, _nested,
)  # fmt: skip


def damaged_record(text: str, draw: random.Random) -> bytes:
    """The bytes of a record after one kind of damage."""
    return draw.choice(RECORD_DAMAGES)(text, draw)


def _cell(rows: list[list[str]], draw: random.Random) -> list[list[str]]:
    row = draw.choice(rows)
    row[draw.randrange(len(row))] = draw.choice(
        ("nan", "inf", "-1", "1e400", "text", "", "9" * 400)
    )
    return rows


def _column_twice(rows: list[list[str]], draw: random.Random) -> list[list[str]]:
    at = draw.randrange(len(rows[0]))
    return [[*row, row[at]] for row in rows]


def _column_gone(rows: list[list[str]], draw: random.Random) -> list[list[str]]:
    at = draw.randrange(len(rows[0]))
    return [row[:at] + row[at + 1 :] for row in rows]


def _ragged(rows: list[list[str]], draw: random.Random) -> list[list[str]]:
    row = draw.choice(rows)
    del row[draw.randrange(len(row)) :]
    rows.append(["1"] * draw.randrange(60))
    return rows


def damaged_csv(text: str, draw: random.Random) -> bytes:
    """The bytes of a CSV log after one kind of damage."""
    kind = draw.randrange(7)
    if kind < 4:
        change = (_cell, _column_twice, _column_gone, _ragged)[kind]
        stream = io.StringIO()
        csv.writer(stream).writerows(change(list(csv.reader(io.StringIO(text))), draw))
        return stream.getvalue().encode()
    return (_truncated, _flipped, _other_encoding)[kind - 4](text, draw)
