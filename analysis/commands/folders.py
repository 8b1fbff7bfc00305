"""The folders that a person names, loaded: what every command on records begins with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.records.load import Loaded, load

DEFAULT_FOLDERS = ("runs", "results/records")


def load_named(folders: Sequence[str]) -> Loaded:
    """What lies under `folders`; files left out are named on the terminal.

    Raises `AnalysisError` for a folder that does not exist or holds nothing readable, unless
    it is one of the defaults.
    """
    for folder in folders:
        if folder not in DEFAULT_FOLDERS and not Path(folder).expanduser().exists():
            raise AnalysisError(f"{folder} does not exist; name the output_dir of a run")
    loaded = load(folders)
    for problem in loaded.problems:
        print(f"left out {problem}", file=sys.stderr)
    for folder in folders:
        if folder in DEFAULT_FOLDERS:
            continue
        top = str(Path(folder).expanduser().absolute())
        if not any(path == top or path.startswith(top + os.sep) for path in loaded.frame["path"]):
            raise AnalysisError(
                f"{folder} holds no readable record; measure one with "
                f"`python run.py output_dir={folder}` or name another folder"
            )
    return loaded
