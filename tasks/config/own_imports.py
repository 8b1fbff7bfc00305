"""The user's own files that a module imports, found without importing anything."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

_SUITE = Path(__file__).resolve().parents[2]
_INSTALLED = ("site-packages", "dist-packages")


def helpers(sources: Iterable[Path], roots: Iterable[Path]) -> list[Path]:
    """Files below `roots`, folders that modules are imported from, which `sources` import, directly
    or through others; without `sources`. What is installed, Python's own and this suite's are
    identified by their versions, and are not followed."""
    own_roots = [root for root in roots if _is_users(root)]
    seen = {path.resolve() for path in sources}
    waiting, imported = list(seen), []
    while waiting:
        for name in _imported(waiting.pop()):
            for path in _files(name, own_roots):
                if path not in seen:
                    seen.add(path)
                    waiting.append(path)
                    imported.append(path)
    return sorted(imported)


def _is_users(root: Path) -> bool:
    place = root.resolve()
    is_installed = any(part in _INSTALLED for part in place.parts)
    return not (
        is_installed or place == _SUITE or place == Path(sysconfig.get_paths()["stdlib"]).resolve()
    )


def _imported(path: Path) -> Iterator[str]:
    """Top-level names of the modules that a file imports; none of one that is no Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _files(name: str, roots: Iterable[Path]) -> list[Path]:
    """The module, or the whole package, of the first root that has it."""
    for root in roots:
        module, package = root / f"{name}.py", root / name
        if package.is_dir():
            return sorted(path.resolve() for path in package.rglob("*.py"))
        if module.is_file():
            return [module.resolve()]
    return []
