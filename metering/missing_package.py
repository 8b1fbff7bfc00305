"""What a program says where the Python that runs it lacks the project's packages. It stands on the
standard library alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn


def leave(error: ModuleNotFoundError, name: str = "__main__") -> NoReturn:
    """End the program in one line that names the Python to use, status 2. Raises `error` again in
    a module that was imported (`name` is its `__name__`), and where a module of this project is
    missing, which no installation cures."""
    root = Path(__file__).resolve().parents[1]
    is_ours = (root / (error.name or "").partition(".")[0]).is_dir()
    if name != "__main__" or (error.name and is_ours):
        raise error
    python = root / ".venv" / "bin" / "python"
    cure = f"use {python}" if python.exists() else "run make doctor once, which installs them"
    sys.stderr.write(f"error: {sys.executable} has no package {error.name}; {cure}\n")
    raise SystemExit(2)
