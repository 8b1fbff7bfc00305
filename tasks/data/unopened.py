"""Files of a set that are listed and cannot be opened or decoded."""

from __future__ import annotations

import os
from pathlib import Path


def why(path: Path, error: Exception) -> str:
    """What is the matter with `path`: of a broken link, where it leads; else the first line of what
    a decoder says."""
    if path.is_symlink() and not path.exists():
        return f"a link to {os.readlink(path)}, which is not there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    line = (str(error).splitlines() or [""])[0].replace(f" {str(path)!r}", "")
    return line or type(error).__name__
