"""Python modules of the user's own: found without being imported, and imported when a network is
built."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from tasks.config.own_imports import helpers
from tasks.errors import PlanError

_CALLABLE = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")
_FILE = re.compile(r"(?:(.*)/)?([A-Za-z_]\w*)\.py(?::([A-Za-z_]\w*))?")
_DOTTED = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)\.([A-Za-z_]\w*)")


def callable_name(source: str) -> tuple[str, str] | None:
    """Module and name of `package.module:callable`; None for any other source."""
    match = _CALLABLE.fullmatch(source)
    return (match[1], match[2]) if match and not match[1].endswith(".py") else None


def in_our_words(source: str, folder: str | None) -> str | None:
    """The settings for a callable that `source` names in another way (a file, a module alone, a
    dot before the callable); None where it does not look like one."""
    if match := _FILE.fullmatch(source):
        path = match[1] or folder or "FOLDER"
        return f"model.source={match[2]}:{match[3] or 'NAME'} model.path={path}"
    inside = Path(folder or ".").expanduser()
    if (inside / f"{source}.py").is_file() or (inside / source / "__init__.py").is_file():
        return f"model.source={source}:NAME"
    dotted = _DOTTED.fullmatch(source)
    if dotted and (inside / Path(*dotted[1].split("."))).with_suffix(".py").is_file():
        return f"model.source={dotted[1]}:{dotted[2]}"
    return None


def use_folder(folder: str | None) -> None:
    """Let modules be found in `folder`, after all that are found without it."""
    if folder is not None and (place := str(Path(folder).expanduser().absolute())) not in sys.path:
        sys.path.append(place)


def digest_of(modules: Iterable[str], folder: str | None) -> str:
    """16 hex digits over the sources that the modules come from, whole packages, and the user's
    files that these import. Raises `PlanError` for a module that is not found. Imports nothing."""
    use_folder(folder)
    sources = [(module, path) for module in modules for path in _sources(module, folder)]
    roots = [] if folder is None else [Path(folder).expanduser()]
    roots += [_root(module, path) for module, path in sources]
    paths = [path for _, path in sources]
    total = hashlib.sha256()
    for path in (*paths, *helpers(paths, dict.fromkeys(roots))):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def _root(module: str, source: Path) -> Path:
    """The folder that the top-level name of `module` lies in."""
    top = module.partition(".")[0]
    return next((above.parent for above in source.parents if above.name == top), source.parent)


def imported(module: str, folder: str | None) -> ModuleType:
    """The module. Raises `PlanError` where its own code fails."""
    use_folder(folder)
    try:
        return importlib.import_module(module)
    except SystemExit as error:
        raise PlanError(
            f"module {module} ends the program while it is imported (sys.exit, or argparse, which "
            f'reads this command\'s arguments); put that under if __name__ == "__main__"'
        ) from error
    except Exception as error:  # a user's module may raise anything
        why = (str(error).splitlines() or [""])[0]
        raise PlanError(
            f"module {module} cannot be imported: {type(error).__name__}: {why}; correct it, or "
            "give model.path=FOLDER, where it lies"
        ) from error


def callable_of(source: str, folder: str | None) -> Any:
    """What `package.module:callable` names. Raises `PlanError`."""
    named = callable_name(source)
    assert named is not None
    module = imported(named[0], folder)
    builder = getattr(module, named[1], None)
    if not callable(builder):
        what = "has no" if builder is None else "has no callable"
        raise PlanError(
            f"model.source={source}: {module.__file__} {what} {named[1]}; name a function or class "
            "that makes the network"
        )
    return builder


def _sources(module: str, folder: str | None) -> list[Path]:
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise _not_found(module, folder)
    if spec.submodule_search_locations is None:
        if rest or spec.origin is None:
            raise _not_found(module, folder)
        return [Path(spec.origin)]
    package = [Path(place) for place in spec.submodule_search_locations]
    inner = Path(*rest) if rest else Path()
    if not any(
        (place / inner).is_dir() or (place / inner).with_suffix(".py").is_file()
        for place in package
    ):
        raise _not_found(module, folder)
    return sorted(path for place in package for path in place.rglob("*.py"))


def _not_found(module: str, folder: str | None) -> PlanError:
    where = "the environment" if folder is None else f"the environment, nor in model.path={folder}"
    return PlanError(
        f"module {module} of model.source or model.import is not found in {where}; give "
        f"model.path=FOLDER, the folder that holds {module.split('.', maxsplit=1)[0]} "
        "(names of this suite's own folders go first)"
    )
