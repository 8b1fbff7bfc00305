"""What the content of an OpenMMLab config rests on beside its file, read without running it: the
files of its `_base_`, and the modules of its `custom_imports`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any


def bases(config: Path) -> list[Path]:
    """Files beside the config that it names as `_base_`, and theirs; a library's own
    (`mmseg::...`) are of its version."""
    names: Any = _assigned(config).get("_base_", ())
    files: list[Path] = []
    for name in [names] if isinstance(names, str) else names:
        path = config.parent / str(name)
        if "::" not in str(name) and path.is_file():
            files += [path, *bases(path)]
    return files


def modules(config: Path) -> list[str]:
    """Of `custom_imports`, the file's or its bases'."""
    for path in (config, *bases(config)):
        custom_imports = _assigned(path).get("custom_imports")
        if isinstance(custom_imports, dict):
            names: Any = custom_imports.get("imports", ())
            return [names] if isinstance(names, str) else list(map(str, names))
    return []


def _assigned(path: Path) -> dict[str, object]:
    """Plain values at the top of a Python file; what has to be computed is left out."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):  # said where the config is loaded
        return {}
    return {
        target.id: _value(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _value(node: ast.expr) -> object:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return {key.arg: _value(key.value) for key in node.keywords if key.arg}
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ()
