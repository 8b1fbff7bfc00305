"""The code that a sweep's jobs run: a copy in the output folder, taken when they are submitted.

    <output_dir>/.slurm/code/<digest>/suite   this suite's packages and its configs
                                     /own     the user's modules that plans name

The folder's name is the digest of what is in it: a sweep shares one, and so does the next sweep
of the same code. What is edited between submission and start changes no job; files that a plan
names itself, which are not copied, are compared when the job starts (`file_digests`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sysconfig
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metering import atomic_file
from metering.code_version import COPY_FACTS, ROOT, code_version
from tasks.config import config_sources, own_imports, own_modules
from tasks.config.digests import digest
from tasks.errors import PlanError
from tasks.plan import Plan

MOST_OWN_BYTES = 2**30
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
    """The copy for `plans` under `home`, made where it is not there yet, or not whole: sites delete
    old files. Raises `PlanError` and `OSError`."""
    files = {f"suite/{path.relative_to(ROOT)}": path for path in _suite_files()}
    own = {f"own/{target}": path for plan in plans for target, path in _own_files(plan).items()}
    if sum(path.stat().st_size for path in own.values()) > MOST_OWN_BYTES:
        raise PlanError(
            "the modules of model.source, model.import and model.path hold more than 1 GiB, all of "
            "which is copied into output_dir; move data and weights out of their folders"
        )
    files |= own
    copy = Copy(home / "code" / _digest(files), _digest(files))
    if copy.folder.is_dir():
        _complete(copy, files)
    else:
        _make(copy, files)
    return copy


def file_digests(plan: Plan) -> dict[str, str]:
    """Of the files that `plan` names, by path: its config with what that is based on, and its
    checkpoint. One that is not there, or no longer, is left out."""
    paths = [Path(name).expanduser() for name in (plan.model.source, plan.model.checkpoint) if name]
    if plan.model.source.endswith(".py"):
        paths += config_sources.bases(paths[0])
    return {str(path.absolute()): digest(path) for path in paths if path.is_file()}


def _complete(copy: Copy, files: Mapping[str, Path]) -> None:
    """What was deleted from the copy, or changed in it."""
    facts = copy.folder / "suite" / COPY_FACTS
    if not facts.is_file():
        atomic_file.write(facts, _facts(copy.digest))
    for target, path in files.items():
        there = copy.folder / target
        content = path.read_bytes()
        if not there.is_file() or there.read_bytes() != content:
            atomic_file.write(there, content)


def _make(copy: Copy, files: Mapping[str, Path]) -> None:
    copy.folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = copy.folder.with_name(f".new-{uuid.uuid4().hex}")  # of the user's umask
    temporary.mkdir()
    try:
        for folder in ("suite", "own"):
            (temporary / folder).mkdir()
        for target, path in files.items():
            (temporary / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, temporary / target)
        (temporary / "suite" / COPY_FACTS).write_bytes(_facts(copy.digest))
        try:
            temporary.rename(copy.folder)
        except OSError:
            if not copy.folder.is_dir():  # else another submitter was quicker
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _facts(digest_of_copy: str) -> bytes:
    return json.dumps(code_version() | {"digest": digest_of_copy}).encode()


def _suite_files() -> Iterator[Path]:
    for part in PARTS:
        yield from _files(ROOT / part)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for inner in sorted(path.iterdir()) if path.is_dir() else ():
        if inner.name not in _LEFT_OUT and not _leads_back(inner):
            yield from _files(inner)


def _leads_back(link: Path) -> bool:
    """A link to a folder that it lies in."""
    return link.is_symlink() and link.resolve() in link.parent.resolve().joinpath("-").parents


def _own_files(plan: Plan) -> dict[str, Path]:
    """Of the user's modules that the plan names, and of those beside them that these import; by the
    place in the copy. What is installed or ours is left out."""
    named = own_modules.callable_name(plan.model.source)
    modules = [*plan.model.imports, *((named[0],) if named else ())]
    if plan.model.source.endswith(".py"):
        modules += config_sources.modules(Path(plan.model.source).expanduser())
    if not modules:
        return {}
    own_modules.use_folder(plan.model.path)
    tops = {place for module in modules for place in _places(module.partition(".")[0])}
    roots = [Path(plan.model.path)] if plan.model.path else []
    roots = list(dict.fromkeys(root.resolve() for root in (*roots, *(top.parent for top in tops))))
    sources = [path for top in tops for path in _files(top) if path.suffix == ".py"]
    for path in own_imports.helpers(sources, roots) if tops else ():
        tops |= {root / path.relative_to(root).parts[0] for root in roots if root in path.parents}
    return {str(path.relative_to(top.parent)): path for top in sorted(tops) for path in _files(top)}


def _places(top: str) -> Iterator[Path]:
    """Where the user's module or package of that name lies; nothing where it is installed or
    ours."""
    spec = importlib.util.find_spec(top)
    if spec is None or (ROOT / top).exists():
        return
    installed = [Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "stdlib")]
    places = spec.submodule_search_locations or ([spec.origin] if spec.origin else [])
    for place in (Path(name).absolute() for name in places):
        base = place.parent if place.name == "__init__.py" else place
        if base.exists() and not any(folder in base.resolve().parents for folder in installed):
            yield base


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for target in sorted(files):
        content = files[target].read_bytes()
        digest.update(f"{target}\0{hashlib.sha256(content).hexdigest()}\0".encode())
    return digest.hexdigest()[:16]
