"""Damage to records, to CSV logs and to Hydra's YAML, drawn from a seeded generator."""

from __future__ import annotations

import copy
import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

STRANGE: tuple[Any, ...] = (
    None, True, "", "text", "1e400", "\ud7ff\u0000", -1, 0, 2**63, 10**40, 10**400, 1e308, -1e308,
    5e-324, -3, 1.5, 10**30, float("nan"), float("inf"), [], {}, [None], {"a": 1}, [[1]],
    "x" * 10_000,
)  # fmt: skip
AGAIN = "the key that is there already"
SCALARS = (
    "2024-99-99", "0b_", "!!int x", "!!bool x", "!!timestamp x", "!!python/object:os.system x",
    "9" * 5_000, "1" + "0" * 400, "1e400", "-3", "0", "1.5", ".nan", ".inf", "null", "", "true",
    "[" * 600 + "]" * 600, "&a [*a]", "*unknown", "{name: [x]}", "{name: {name: x}}", "[x]",
    '"\\ud800"', '"\\UFFFFFFFF"', '"\\0"', "'open", "a: b: c", "\tx", "${other.key}", "x" * 10_000,
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-32", "utf-8-sig", "latin-1", "cp500")


def spot(tree: Any, draw: random.Random) -> tuple[Any, Any]:
    """A (container, key) within `tree`, found by walking down from its root: so the config's
    thirty keys are not lost among a thousand of the readings."""
    while True:
        key = draw.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
        below = tree[key]
        if not (below and isinstance(below, dict | list)) or draw.random() < 0.3:
            return tree, key
        tree = below


def named_spot(tree: Any, draw: random.Random) -> tuple[dict[str, Any], str]:
    """The same, in a dict."""
    while True:
        container, key = spot(tree, draw)
        if isinstance(container, dict):
            return container, key


def each_value_strange(text: str) -> Iterator[str]:
    """The record with each of its values, one at a time, as each strange one."""
    data = json.loads(text)
    for phase in data["phases"].values():
        _shorten(phase)
    containers = [data]
    for container in containers:
        for key, value in list(
            container.items() if isinstance(container, dict) else enumerate(container)
        ):
            for strange in STRANGE:
                container[key] = strange
                yield json.dumps(data)
            container[key] = value
            if isinstance(value, dict | list):
                containers.append(value)


def _shorten(phase: dict[str, Any]) -> None:
    """Two blocks, of which one is like the other, and the rates that they give."""
    del phase["readings"][2:]
    for block in phase["readings"]:
        block["use"] = "measured"
    energies = [
        kwh if (own := (block.get("own") or {}).get(name)) is None else own
        for block in phase["readings"]
        for name, kwh in block["energy"].items()
        if kwh is not None
    ]
    durations = [block["duration_s"] for block in phase["readings"]]
    num_samples = sum(block["num_samples"] for block in phase["readings"])
    for name, amounts in (
        ("energy_kwh_per_sample", energies),
        ("duration_s_per_sample", durations),
    ):
        phase[name] |= {"mean": sum(amounts) / num_samples, "num_blocks": 2}
    phase["emissions_kg_co2eq"] = None  # that of all blocks


def _wrong_type(text: str, draw: random.Random) -> bytes:
    data = json.loads(text)
    for _ in range(draw.choice((1, 1, 3))):
        container, key = spot(data, draw)
        container[key] = copy.deepcopy(draw.choice(STRANGE))
    return json.dumps(data).encode()  # NaN and Infinity as Python writes them


def _without_a_key(text: str, draw: random.Random) -> bytes:
    data = json.loads(text)
    container, key = named_spot(data, draw)
    del container[key]
    return json.dumps(data).encode()


def _unknown_key(text: str, draw: random.Random) -> bytes:
    data = json.loads(text)
    container, _ = named_spot(data, draw)
    container["unknown"] = copy.deepcopy(draw.choice(STRANGE))
    return json.dumps(data).encode()


def _duplicated_key(text: str, draw: random.Random) -> bytes:
    """The same key once more, after the original: parsers keep the last."""
    data = json.loads(text)
    container, key = named_spot(data, draw)
    container[AGAIN] = copy.deepcopy(draw.choice((container[key], *STRANGE)))
    return json.dumps(data).replace(json.dumps(AGAIN), json.dumps(key)).encode()


def _truncated(text: str, draw: random.Random) -> bytes:
    whole = text.encode()
    return whole[: draw.randrange(len(whole))]


def _flipped(text: str, draw: random.Random) -> bytes:
    damaged = bytearray(text.encode())
    for _ in range(draw.choice((1, 5, 50))):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged)


def _other_encoding(text: str, draw: random.Random) -> bytes:
    return text.replace(_model(text), "\u00e9").encode(draw.choice(ENCODINGS))


def _nested(text: str, draw: random.Random) -> bytes:
    deep = draw.choice((100, 100_000))
    return text.replace(f'"{_model(text)}"', "[" * deep + "]" * deep).encode()


def _model(text: str) -> str:
    if not text.startswith("{"):
        return "swin_t"
    data = json.loads(text)
    return str(data["model"] if "model" in data else data["setup"]["asked"]["model"])


RECORD_DAMAGES: tuple[Callable[[str, random.Random], bytes], ...] = (
    _wrong_type,
    _wrong_type,
    _wrong_type,
    _without_a_key,
    _unknown_key,
    _duplicated_key,
    _truncated,
    _flipped,
    _other_encoding,
    _nested,
)


def damaged_record(text: str, draw: random.Random) -> bytes:
    """The bytes of a record after one kind of damage."""
    return draw.choice(RECORD_DAMAGES)(text, draw)


def _cell(rows: list[list[str]], draw: random.Random) -> list[list[str]]:
    row = draw.choice(rows)
    row[draw.randrange(len(row))] = draw.choice(
        ("nan", "inf", "-1", "1e400", "1e300", "5e-324", "text", "", "9" * 400)
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


def _quoted(text: str, draw: random.Random) -> bytes:
    """A quote that is never closed, somewhere."""
    at = draw.choice([at for at, letter in enumerate(text) if letter in ",\n"]) + 1
    return f'{text[:at]}"{text[at:]}'.encode()


def damaged_csv(text: str, draw: random.Random) -> bytes:
    """The bytes of a CSV log after one kind of damage."""
    kind = draw.randrange(8)
    if kind < 4:
        change = (_cell, _column_twice, _column_gone, _ragged)[kind]
        stream = io.StringIO()
        csv.writer(stream).writerows(change(list(csv.reader(io.StringIO(text))), draw))
        return stream.getvalue().encode()
    return (_truncated, _flipped, _other_encoding, _quoted)[kind - 4](text, draw)


def _scalar(text: str, draw: random.Random) -> bytes:
    """One value of the config, `key: value` on a line of its own, is another."""
    lines = text.splitlines()
    at = draw.randrange(len(lines))
    lines[at] = f"{lines[at].partition(':')[0]}: {draw.choice(SCALARS)}"
    return "\n".join(lines).encode()


def _line_twice(text: str, draw: random.Random) -> bytes:
    line = draw.choice(text.splitlines())
    return f"{text}{line.partition(':')[0]}: {draw.choice(SCALARS)}\n".encode()


def _head(text: str, draw: random.Random) -> bytes:
    head = draw.choice((f"%YAML 1.{'9' * 5_000}\n---\n", "--- x\n---\n", "- x\n", "\0"))
    return (head + text).encode()


def damaged_yaml(text: str, draw: random.Random) -> bytes:
    """The bytes of a flat YAML config after one kind of damage."""
    kinds = (_scalar, _scalar, _scalar, _line_twice, _head, _truncated, _flipped, _other_encoding)
    return draw.choice(kinds)(text, draw)
