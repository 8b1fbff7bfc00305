"""Which of our modules imports which, read from the source: inside functions and behind
`TYPE_CHECKING` too, and nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("run", "watt_for_what", "metering", "tasks", "launchers", "analysis", "benchmarks")

Graph = dict[str, frozenset[str]]


@cache
def sources() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    paths += [ROOT / f"{room}.py" for room in ROOMS if (ROOT / f"{room}.py").is_file()]
    return {_dotted(path): path for path in sorted(paths)}


@cache
def graph() -> Graph:
    """The modules that each of our modules imports: ours in full, others' by their package."""
    return {name: frozenset(_imports(path)) for name, path in sources().items()}


def ours(name: str) -> frozenset[str]:
    """The modules of ours that module `name` imports."""
    return graph()[name] & graph().keys()


def reached(name: str) -> set[str]:
    """Everything that is imported, now or later, by who imports `name`."""
    seen, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += graph().get(one, ())
    return seen - {name}


def circles() -> set[frozenset[str]]:
    """Sets of modules that import each other."""
    reach = {name: reached(name) | {name} for name in graph()}
    rings = {
        frozenset(other for other in reach[name] & graph().keys() if name in reach[other])
        for name in graph()
    }
    return {ring for ring in rings if len(ring) > 1}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _known(alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            for alias in node.names:
                yield _known(f"{node.module}.{alias.name}")


def _known(name: str) -> str:
    """The module of ours that `name` is or stands in; else the package it comes from."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if (candidate := ".".join(parts[:length])) in sources():
            return candidate
    return parts[0]
