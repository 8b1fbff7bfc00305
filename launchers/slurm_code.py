"""The code that a sweep's jobs run: a copy in the output folder, taken when they are submitted.

    <output_dir>/.slurm/code/<digest>/suite   this suite's packages and its configs
                                     /own     the user's modules that plans name

The folder's name is the digest of what is in it: a sweep shares one, and so does the next sweep
of the same code. What is edited between submission and start changes no job.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from metering.code_version import COPY_FACTS, ROOT, code_version
from tasks.config import own_modules
from tasks.plan import Plan

PARTS = ("run.py", "conf", "launchers", "metering", "tasks", "watt_for_what")
_LEFT_OUT = {"__pycache__", ".git", ".venv"}


@dataclass(frozen=True)
class Copy:
    """digest: 16 hex digits over the names and contents of all files."""

    folder: Path
    digest: str

    @property
    def import_folders(self) -> tuple[Path, Path]:
        """In this order: a user's module hides none of ours."""
        return (self.folder / "suite", self.folder / "own")


def copied(home: Path, plans: Sequence[Plan]) -> Copy:
    """The copy for `plans` under `home`, made where it is not there yet."""
    files = {f"suite/{path.relative_to(ROOT)}": path for path in _suite_files()}
    for module in {module for plan in plans for module in _own_modules(plan)}:
        files |= {f"own/{target}": path for target, path in _own_files(*module)}
    digest = _digest(files)
    copy = Copy(home / "code" / digest, digest)
    if not copy.folder.is_dir():
        _make(copy, files)
    return copy


def _make(copy: Copy, files: dict[str, Path]) -> None:
    copy.folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=copy.folder.parent))
    try:
        for folder in ("suite", "own"):
            (temporary / folder).mkdir()
        for target, path in files.items():
            (temporary / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, temporary / target)
        facts = code_version() | {"digest": copy.digest}
        (temporary / "suite" / COPY_FACTS).write_text(json.dumps(facts), encoding="utf-8")
        temporary.chmod(0o755)
        try:
            temporary.rename(copy.folder)
        except OSError:
            if not copy.folder.is_dir():  # else another submitter was quicker
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _suite_files() -> Iterator[Path]:
    for part in PARTS:
        yield from _files(ROOT / part)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for inner in sorted(path.iterdir()) if path.is_dir() else ():
        if inner.name not in _LEFT_OUT:
            yield from _files(inner)


def _own_modules(plan: Plan) -> Iterator[tuple[str, str | None]]:
    """What the plan imports of the user's, and the folder that may hold it."""
    named = own_modules.callable_name(plan.model.source)
    for module in ((named[0],) if named else ()) + tuple(plan.model.imports):
        yield module.partition(".")[0], plan.model.path


def _own_files(top: str, folder: str | None) -> Iterator[tuple[str, Path]]:
    """Of the package or module, unless it is installed or ours; what it imports in turn from other
    places is not followed."""
    own_modules.use_folder(folder)
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return
    origin = Path(spec.origin).resolve()
    places = [Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "stdlib")]
    if any(place in origin.parents for place in places) or (ROOT / top).exists():
        return
    base = origin.parent if spec.submodule_search_locations else origin
    for path in _files(base):
        yield str(path.relative_to(base.parent)), path


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for target in sorted(files):
        content = files[target].read_bytes()
        digest.update(f"{target}\0{hashlib.sha256(content).hexdigest()}\0".encode())
    return digest.hexdigest()[:16]
