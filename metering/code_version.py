"""Which code made a number: package version, git commit, and whether the tree was changed."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COPY_FACTS = ".code.json"
"""In the folder of a copy of the code: what `code_version` says of it."""


@cache
def code_version() -> dict[str, Any]:
    """`version`, `git_commit` and `dirty`; the last two are None where there is no git. Of a copy
    of the code what was true when it was made, and its `digest`."""
    copied = ROOT / COPY_FACTS
    if copied.is_file():
        facts: dict[str, Any] = json.loads(copied.read_text(encoding="utf-8"))
        return facts
    try:
        version: str | None = metadata.version("watt-for-what")
    except metadata.PackageNotFoundError:
        version = None
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "version": version,
        "git_commit": commit or None,
        "dirty": None if changes is None else bool(changes),
    }


def _git(*args: str) -> str | None:
    if not (ROOT / ".git").exists():
        return None  # an installed copy inside somebody else's repository is not that one
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *args], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
